"""Offline tools: data, networks, training, conversion, evaluation; the daemon imports none."""
