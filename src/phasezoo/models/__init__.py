"""Architectures, their initial weights, and weights as flat vectors with a table of tensors."""
