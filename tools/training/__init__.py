"""Training: what the commands in `tools` are made of."""
