"""Layers as a flow: one layer, fixed points, criticality, phases."""
