"""Norms and heavy tails of the weights of a model."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family

_FAMILY = Family("spectra")
_OF_MATRIX = (*OF_MODEL, "matrix")

SPECTRA = (
    _FAMILY.number(OF_MODEL, "weight_norm", "Euclidean norm of all parameters"),
    _FAMILY.number(
        OF_MODEL,
        "distance_from_start",
        "Euclidean distance of the parameters from those at epoch 0",
    ),
    _FAMILY.number(_OF_MATRIX, "frobenius_norm", "Frobenius norm of a matrix"),
    _FAMILY.number(_OF_MATRIX, "spectral_norm", "largest singular value of a matrix"),
    _FAMILY.number(
        _OF_MATRIX, "stable_rank", "squared Frobenius norm over squared spectral norm of a matrix"
    ),
    _FAMILY.number(
        _OF_MATRIX,
        "tail_exponent",
        "exponent of the power law in the upper tail of the squared singular values",
    ),
    _FAMILY.number(
        _OF_MATRIX,
        "tail_exponent_standard_error",
        "its standard error, the start of the tail being known",
    ),
    _FAMILY.number(
        _OF_MATRIX, "tail_distance", "Kolmogorov-Smirnov distance of the tail from its power law"
    ),
    _FAMILY.number(_OF_MATRIX, "tail_start", "smallest squared singular value of the tail"),
    _FAMILY.number(_OF_MATRIX, "tail_values", "number of squared singular values in the tail"),
    _FAMILY.number(
        OF_MODEL, "mean_tail_exponent", "mean of tail_exponent over the matrices with a tail"
    ),
    _FAMILY.number(OF_MODEL, "mean_tail_exponent_standard_error", "standard error of the mean"),
    _FAMILY.number(
        OF_MODEL,
        "weighted_tail_exponent",
        "mean of tail_exponent times log10 of the largest squared singular value",
    ),
    _FAMILY.number(OF_MODEL, "weighted_tail_exponent_standard_error", "standard error of the mean"),
)
