"""Floor 2, the stair: from SymPy expressions and diagrams to NumPy."""
