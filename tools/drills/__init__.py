"""Fault drills: real faults against the running daemon, and against its peers."""
