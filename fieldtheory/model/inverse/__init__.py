"""Learning curves asked backwards."""
