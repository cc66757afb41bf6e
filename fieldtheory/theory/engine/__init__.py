"""How diagrams are found: partial graphs as small integers, canonical forms, labels, topology."""
