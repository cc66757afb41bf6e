"""The zero-dimensional theory behind `zero`: no module here knows of diagrams."""
