"""The version, in one place; results carry it."""

__version__ = "0.1.0"
