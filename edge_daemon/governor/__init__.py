"""Reads the board and decides which tier it can afford."""
