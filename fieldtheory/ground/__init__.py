"""Floor 0, words: errors, checks, laws, frozen arrays, pictures."""
