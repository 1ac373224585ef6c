"""The journal: one JSON object a line for everything that happened."""
