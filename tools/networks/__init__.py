"""Networks: what is trained, in torch, before it becomes a model file."""
