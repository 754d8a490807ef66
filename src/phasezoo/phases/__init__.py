"""From metrics to phases: labels, coverage, maps."""
