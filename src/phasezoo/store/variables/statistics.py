"""What the values of each weight tensor of a model are like."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family

_FAMILY = Family("statistics")

STATISTICS = (
    _FAMILY.number(
        (*OF_MODEL, "tensor", "statistic"),
        "weight_statistics",
        "moments, quartiles and norms of the values of each trained tensor",
    ),
)
