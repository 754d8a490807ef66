"""One entry point per rule: read, call the science, write."""
