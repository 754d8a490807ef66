"""Data sets: sources, fixed splits, disturbances, and tensors ready to train on."""
