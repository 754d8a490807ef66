"""Permutation symmetries of modules, and permuting weights by them."""

from phasezoo.merging.permutation.act import (
    Permutations,
    cycles,
    identity,
    permute,
    permuted,
    reordered,
)
from phasezoo.merging.permutation.architectures import permutation_spec
from phasezoo.merging.permutation.infer import Inference, explain, infer
from phasezoo.merging.permutation.proof import prove, prove_anywhere
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
    "Inference",
    "Part",
    "PermutationSpec",
    "Permutations",
    "Piece",
    "Product",
    "Sum",
    "cycles",
    "explain",
    "identity",
    "infer",
    "permutation_spec",
    "permute",
    "permuted",
    "prove",
    "prove_anywhere",
    "reordered",
]
