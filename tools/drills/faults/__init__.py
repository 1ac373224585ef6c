"""The faults, one file each: what is done to the program, and what is expected of it."""
