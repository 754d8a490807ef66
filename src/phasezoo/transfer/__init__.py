"""What the models of a zoo are worth on another task."""
