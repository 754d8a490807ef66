"""The sets of GLUE (Wang et al. 2019): an optional extra."""
