"""Learning from weights: zoos as torch data sets, and baselines that say what weights tell."""
