"""Gaussian averages of activations, and the arithmetic they are done in."""
