"""Floor 4, experiment: where chance, clocks and disks begin."""
