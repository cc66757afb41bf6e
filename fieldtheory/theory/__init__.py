"""Floor 1, algebra: exact, in SymPy and networkx; no NumPy, no floats."""
