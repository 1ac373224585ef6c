"""On-device audio-visual classification that adapts to heat, load, memory and battery."""

__version__ = "0.1.0"
