"""Training one block of seeds, and clean evaluation."""
