"""Compression: channels that close themselves, what they cost, and their removal; rounding."""
