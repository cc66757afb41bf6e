"""Finite width: corrections in 1/width, and random features."""
