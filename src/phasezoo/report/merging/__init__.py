"""What the report says of merging: barriers, and what merges are compared with."""
