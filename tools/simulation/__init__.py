"""A simulated board in closed loop: what a policy decides changes what it will read."""
