"""`edge-daemon tail`: see edge_daemon/tail.py."""

from edge_daemon.tail import add_arguments, run

__all__ = ["add_arguments", "run"]
