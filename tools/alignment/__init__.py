"""Alignment: one low-rank subspace in which the features of both modalities meet."""
