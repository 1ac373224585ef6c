"""Evaluation: figures of model files, measured by running them."""
