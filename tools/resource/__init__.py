"""The headroom R in training: what it weighs, how it is drawn, how it looks."""
