"""How far merged models can be trusted, what they were made from, and their baselines."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_BLOCK, OF_MODEL, OF_PAIR, Family, Variable

_FAMILY = Family("merging", "merging")
_AS = ("alignment", "correction")
_OF = (
    ("midpoint", (*OF_PAIR, *_AS), "the midpoint of a pair"),
    ("pair_baseline", (*OF_PAIR, "baseline"), "what the midpoint of a pair is compared with"),
    ("soup", (*OF_BLOCK, *_AS, "soup"), "the soup of the seeds"),
    ("baseline", (*OF_BLOCK, "baseline"), "what soups are compared with"),
)
_NUMBERS = (
    ("loss", "loss"),
    ("error", "error"),
    ("top5_error", "share of samples whose class is not among their own five likeliest"),
    ("calibration_error", "expected calibration error of the likeliest class"),
)
_CURVE = (
    ("count", "samples with a confidence in the bin"),
    ("confidence", "mean confidence in the bin"),
    ("accuracy", "share that is right in the bin"),
)
_JUDGED = tuple(
    variable
    for of, dims, meaning in _OF
    for variable in (
        *(
            _FAMILY.number((*dims, "outputs"), f"judged_{of}_{name}", f"{says}: {meaning}")
            for name, says in _NUMBERS
        ),
        *(
            _FAMILY.number(
                (*dims, "outputs", "bin"), f"judged_{of}_bin_{name}", f"{says}: {meaning}"
            )
            for name, says in _CURVE
        ),
    )
)
_LATE = (
    *(
        _FAMILY.number(
            (*OF_MODEL, "correction", "recipe"),
            f"late_soup_{what}_{how}",
            f"test {what} of a mean of late checkpoints{meaning}",
        )
        for how, meaning in (("naive", ""), ("aligned", ", each aligned to the last"))
        for what in ("loss", "error")
    ),
    _FAMILY.number(
        (*OF_MODEL, "checkpoint"),
        "late_units_moved",
        "share of the units that aligning a late checkpoint to the last moves",
    ),
)
PERMUTATION = Variable(
    name="permutation",
    group="merging",
    dims=(*OF_PAIR, "alignment", "unit"),
    units="1",
    long_name="unit of the second model that comes to this place in the frame of the first",
    family="merging",
    dtype="int32",
    missing=-1,
)
JUDGED = (*_JUDGED, *_LATE, PERMUTATION)
