"""Exit codes of the command, after sysexits(3) where it has one."""

OK = 0
TROUBLE = 1
"""A check found trouble, or the daemon stopped because of a fault."""
USAGE = 2
"""The command line is wrong (argparse)."""
BUSY = 75
"""EX_TEMPFAIL: another daemon writes this journal."""
CONFIG = 78
"""EX_CONFIG: the config or the bundle is wrong; systemd does not restart on it."""
