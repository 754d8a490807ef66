"""Permutation symmetries of the architectures, and permuting weights by them."""

from phasezoo.merging.permutation.act import Permutations, permute, prove
from phasezoo.merging.permutation.architectures import permutation_spec
from phasezoo.merging.permutation.spec import AlignmentError, Axes, PermutationSpec

__all__ = [
    "AlignmentError",
    "Axes",
    "PermutationSpec",
    "Permutations",
    "permutation_spec",
    "permute",
    "prove",
]
