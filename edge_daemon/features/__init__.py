"""Pictures and sound to tensors: the one definition that training and the daemon share."""
