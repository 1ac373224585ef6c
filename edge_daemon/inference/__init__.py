"""Bundles of models, the interpreter, pipelines, and the swap between them."""
