"""Measures the daemon on this device: ratios within one run, since boards are noisy."""
