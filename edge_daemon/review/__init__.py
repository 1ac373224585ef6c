"""Looking back at the governor: what it decides now and why, and what it would have decided."""
