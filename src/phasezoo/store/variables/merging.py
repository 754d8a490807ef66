"""Models made of several."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_BLOCK, OF_MODEL, OF_PAIR, Family

_FAMILY = Family("merging", "merging")

_AS = ("alignment", "correction")
_ALONG = (*OF_PAIR, *_AS, "t")
_ARMS = (
    *(
        _FAMILY.number(_ALONG, f"path_{of}_{what}", f"{of} {what} along the straight line")
        for of in ("train", "test")
        for what in ("loss", "error")
    ),
    _FAMILY.number(
        (*OF_PAIR, *_AS),
        "midpoint_calibrated_loss",
        "test loss of the midpoint after temperature scaling, chosen on one half of the test set "
        "and judged on the other, both ways",
    ),
    _FAMILY.number((*OF_PAIR, *_AS), "midpoint_temperature", "mean of the two temperatures"),
    _FAMILY.number(
        (*OF_PAIR, "alignment", "sweep"),
        "alignment_objective",
        "what the alignment maximises: before the first sweep and after each; missing after its "
        "end",
    ),
    _FAMILY.truth((*OF_PAIR, "alignment"), "alignment_converged", "whether it came to rest"),
    _FAMILY.truth(
        (*OF_MODEL, "alignment"),
        "alignment_recovery",
        "whether the units of a permuted copy of the model are all found",
    ),
    _FAMILY.number((*OF_BLOCK, *_AS, "soup"), "soup_loss", "test loss of the soup of the seeds"),
    _FAMILY.number((*OF_BLOCK, *_AS, "soup"), "soup_error", "test error of the soup of the seeds"),
    *(
        _FAMILY.number((*OF_BLOCK, "baseline"), f"baseline_{name}", meaning)
        for name, meaning in (
            ("loss", "test loss of what soups are compared with"),
            ("error", "test error of what soups are compared with"),
            ("calibrated_loss", "test loss of it after temperature scaling, as of the midpoint"),
        )
    ),
    *(
        _FAMILY.number(
            (*OF_MODEL, "correction"),
            f"checkpoint_soup_{what}",
            f"test {what} of the mean of late checkpoints",
        )
        for what in ("loss", "error")
    ),
)
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
    *_ARMS,
)
