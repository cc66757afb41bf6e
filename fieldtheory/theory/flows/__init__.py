"""The renormalisation group: flows and fixed points, shells, critical exponents, power laws."""
