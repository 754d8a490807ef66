"""Models made of several."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_BLOCK, OF_MODEL, OF_PAIR, Family

_FAMILY = Family("merging", "merging")

MERGING = (
    _FAMILY.number(OF_PAIR, "barrier_naive", "training-loss barrier of the straight line"),
    _FAMILY.number(OF_PAIR, "barrier_aligned", "the same after weight matching"),
    _FAMILY.number(OF_PAIR, "error_barrier_naive", "training-error barrier of the straight line"),
    _FAMILY.number(OF_PAIR, "error_barrier_aligned", "the same after weight matching"),
    _FAMILY.number(OF_PAIR, "midpoint_error_naive", "test error of the midpoint"),
    _FAMILY.number(OF_PAIR, "midpoint_error_aligned", "test error of the midpoint after matching"),
    _FAMILY.number(OF_PAIR, "ends_error", "mean test error of the ends, statistics re-estimated"),
    _FAMILY.number(
        OF_PAIR, "matching_gain", "increase of the inner product of weights by matching"
    ),
    _FAMILY.truth(OF_PAIR, "matching_converged", "whether coordinate descent came to rest"),
    _FAMILY.number(OF_MODEL, "single_error", "test error of the model alone"),
    _FAMILY.number(
        OF_MODEL, "checkpoint_average_error", "test error of the mean of late checkpoints"
    ),
    *(
        _FAMILY.number(OF_BLOCK, f"seed_average_error_{arm}", f"test error of {meaning}")
        for arm, meaning in (
            ("naive", "the mean of the seeds of a block"),
            ("aligned", "the same, each aligned to the first"),
        )
    ),
)
