"""Floor 3, prediction: network and task to learning curve. Deterministic."""
