"""Models made of several: alignment modulo permutations, and averages."""
