"""Crossing diagrams summed with numbers: spheres, finite measures, Poisson to fixed."""
