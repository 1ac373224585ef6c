"""How firmware holds a board back: the names of its flags, and where heat makes it begin."""

UNDER_VOLTAGE = "under-voltage"
FREQUENCY_CAPPED = "frequency-capped"
THROTTLED = "throttled"
SOFT_LIMIT = "soft-limit"
OVER_CURRENT = "over-current"

DEFAULT_LIMIT_C = 80.0
"""Where neither a trip point nor what is known of the board names a limit."""
