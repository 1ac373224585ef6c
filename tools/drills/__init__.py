"""Fault drills: real faults against the running daemon, and against the usual script beside it."""
