"""Permutation specs read off the graph of a module.

Every axis of every tensor in the graph is an expression of indices (`indices.py`). An operation
says which indices are one and the same, and cuts them where it takes axes apart (`rules.py` and
the modules beside it); what nobody can say anything of is fixed. What is left free is a
permutation (`phasezoo.merging.permutation.infer`).
"""
