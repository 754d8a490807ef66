"""Text classification from the text that travels with Python."""
