"""All non-crossing diagrams, and what follows from one effective ridge."""
