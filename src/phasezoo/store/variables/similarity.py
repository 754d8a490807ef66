"""How alike two models are, as functions and as vectors."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_PAIR, Family

_FAMILY = Family("similarity", sample="test")
_OF_WEIGHTS = Family("similarity")

SIMILARITY = (
    _FAMILY.number(OF_PAIR, "cka", "linear CKA of the outputs on test samples"),
    _FAMILY.number(OF_PAIR, "cka_standard_error", "jackknife standard error of cka over samples"),
    _FAMILY.number(OF_PAIR, "cka_debiased", "cka from unbiased estimates of HSIC"),
    _FAMILY.number(
        OF_PAIR, "cka_as_published", "mean of cka over at most ten batches of 128 samples"
    ),
    _FAMILY.number((*OF_PAIR, "layer"), "cka_layers", "cka of the outputs of a layer"),
    _FAMILY.number(
        (*OF_PAIR, "layer"), "cka_layers_debiased", "cka_debiased of the outputs of a layer"
    ),
    _FAMILY.number(
        (*OF_PAIR, "layer"), "cka_layers_as_published", "cka_as_published of the outputs of a layer"
    ),
    _FAMILY.number(
        OF_PAIR,
        "disagreement",
        "share of test samples whose likeliest class or next token differs; missing for equations",
    ),
    _OF_WEIGHTS.number(OF_PAIR, "cosine_similarity", "cosine of the angle between the parameters"),
    _OF_WEIGHTS.number(OF_PAIR, "l2_distance", "Euclidean distance of the parameters"),
)
