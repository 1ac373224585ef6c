"""What chooses tiers on the simulated board: ours, and what it is compared with."""
