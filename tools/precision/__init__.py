"""Adaptive precision: how much a layer matters decides how many bits its weights get."""
