"""Numbers of the loss landscape, of one model or of a pair, each with its doubt."""
