"""How often each sample is visited: partitions, words, crossing classes, Poisson counts."""
