"""Export: from a network to an int8 model file, and what that file contains."""
