"""Permutation symmetries of the architectures, and permuting weights by them."""

from phasezoo.merging.permutation.act import (
    Permutations,
    cycles,
    identity,
    permute,
    permuted,
    prove,
    reordered,
)
from phasezoo.merging.permutation.architectures import permutation_spec
from phasezoo.merging.permutation.spec import (
    AlignmentError,
    Axes,
    Axis,
    Part,
    PermutationSpec,
    Piece,
    Product,
    Sum,
)

__all__ = [
    "AlignmentError",
    "Axes",
    "Axis",
    "Part",
    "PermutationSpec",
    "Permutations",
    "Piece",
    "Product",
    "Sum",
    "cycles",
    "identity",
    "permutation_spec",
    "permute",
    "permuted",
    "prove",
    "reordered",
]
