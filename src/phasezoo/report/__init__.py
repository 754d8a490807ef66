"""From results to figures and one self-contained page."""
