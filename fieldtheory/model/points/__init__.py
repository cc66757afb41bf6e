"""Learning curves on given points: places, pairs of places, words of samples."""
