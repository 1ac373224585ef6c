"""Cameras, microphones and their twins (replay, synthetic), each with a worker and a liveness."""
