"""The stored variables: dims, type, units, meaning, each declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from phasezoo.vocabulary import (
    EPOCH,
    LOAD,
    PAIR,
    PHASE_MEANINGS,
    SEED,
    TEMPERATURE,
    Status,
)

SCHEMA_VERSION = 1

CELL = (LOAD, TEMPERATURE)
OF_MODEL = (*CELL, SEED, EPOCH)
OF_PAIR = (*CELL, PAIR, EPOCH)
OF_CELL = (*CELL, EPOCH)


@dataclass(frozen=True)
class Variable:
    """One variable: where it lives, what it is measured in, what it means."""

    name: str
    group: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    family: str
    dtype: str = "float32"
    flags: Mapping[int, str] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, object]:
        """CF attributes."""
        attributes: dict[str, object] = {"long_name": self.long_name}
        if self.flags:
            attributes["flag_values"] = np.array(list(self.flags), dtype=self.dtype)
            attributes["flag_meanings"] = " ".join(self.flags.values())
        else:
            attributes["units"] = self.units
        return attributes


def _metric(family: str, dims: tuple[str, ...], units: str, name: str, meaning: str) -> Variable:
    return Variable(name, "metrics", dims, units, meaning, family)


_STATUS = {int(s): s.name.lower() for s in Status}
_TRUTH = {0: "no", 1: "yes"}
_PHASES = {int(p): p.name.lower() for p in PHASE_MEANINGS}

_METRICS = (
    _metric("evaluation", OF_MODEL, "1", "train_loss", "mean cross-entropy on the training set"),
    _metric("evaluation", OF_MODEL, "1", "train_error", "share of training samples misclassified"),
    _metric("evaluation", OF_MODEL, "1", "test_loss", "mean cross-entropy on the test set"),
    _metric("evaluation", OF_MODEL, "1", "test_error", "share of test samples misclassified"),
    Variable(
        "status", "metrics", OF_MODEL, "", "what became of the model", "evaluation", "int8", _STATUS
    ),
    Variable(
        "collapsed",
        "metrics",
        OF_MODEL,
        "",
        "whether the logits are the same for every test sample",
        "evaluation",
        "int8",
        _TRUTH,
    ),
    _metric(
        "hessian",
        OF_MODEL,
        "1",
        "hessian_top_eigenvalue",
        "largest eigenvalue of the Hessian of the training loss",
    ),
    _metric(
        "hessian",
        OF_MODEL,
        "1",
        "hessian_top_eigenvalue_residual",
        "norm of H v - lambda v for the top Ritz pair",
    ),
    Variable(
        "hessian_top_eigenvalue_converged",
        "metrics",
        OF_MODEL,
        "",
        "whether the residual met the tolerance",
        "hessian",
        "int8",
        _TRUTH,
    ),
    _metric("hessian", OF_MODEL, "1", "hessian_trace", "trace of the Hessian of the training loss"),
    _metric(
        "hessian",
        OF_MODEL,
        "1",
        "hessian_trace_standard_error",
        "standard error of the mean over probes",
    ),
    _metric(
        "connectivity",
        OF_PAIR,
        "1",
        "mode_connectivity",
        "mean training error of the ends minus that of the point of the Bezier curve that "
        "deviates most from it; negative is a barrier",
    ),
    _metric(
        "connectivity",
        OF_PAIR,
        "1",
        "mode_connectivity_test",
        "the same in test error",
    ),
    _metric(
        "connectivity",
        OF_PAIR,
        "1",
        "mode_connectivity_loss",
        "the same in training loss",
    ),
    _metric(
        "connectivity",
        OF_PAIR,
        "1",
        "linear_barrier",
        "largest training loss on the straight line minus the mean of its ends",
    ),
    _metric(
        "connectivity",
        OF_PAIR,
        "1",
        "linear_barrier_error",
        "largest training error on the straight line minus the mean of its ends",
    ),
    _metric("similarity", OF_PAIR, "1", "cka", "linear CKA of the logits on test samples"),
    _metric("similarity", OF_PAIR, "1", "l2_distance", "Euclidean distance of the parameters"),
)


def _merging(dims: tuple[str, ...], name: str, meaning: str) -> Variable:
    return Variable(name, "merging", dims, "1", meaning, "merging")


_MERGING = (
    _merging(OF_PAIR, "barrier_naive", "training-loss barrier of the straight line"),
    _merging(OF_PAIR, "barrier_aligned", "the same after weight matching"),
    _merging(OF_PAIR, "error_barrier_naive", "training-error barrier of the straight line"),
    _merging(OF_PAIR, "error_barrier_aligned", "the same after weight matching"),
    _merging(OF_PAIR, "midpoint_error_naive", "test error of the midpoint"),
    _merging(OF_PAIR, "midpoint_error_aligned", "test error of the midpoint after matching"),
    _merging(OF_PAIR, "ends_error", "mean test error of the ends, statistics re-estimated"),
    _merging(OF_PAIR, "matching_gain", "increase of the inner product of weights by matching"),
    Variable(
        "matching_converged",
        "merging",
        OF_PAIR,
        "",
        "whether coordinate descent came to rest",
        "merging",
        "int8",
        _TRUTH,
    ),
    _merging(OF_MODEL, "single_error", "test error of the model alone"),
    _merging(OF_MODEL, "checkpoint_average_error", "test error of the mean of late checkpoints"),
)
_SEED_AVERAGES = tuple(
    _merging((*CELL, "block", EPOCH), f"seed_average_error_{arm}", f"test error of {meaning}")
    for arm, meaning in (
        ("naive", "the mean of the seeds of a block"),
        ("aligned", "the same, each aligned to the first"),
    )
)


def _transfer(name: str, meaning: str) -> Variable:
    return Variable(name, "transfer", OF_MODEL, "1", meaning, "transfer")


_TRANSFER = (
    _transfer("fine_tuned_error", "test error on the second task after fine-tuning"),
    _transfer("scratch_error", "test error on the second task, trained from scratch"),
    _transfer("transfer_gain", "scratch_error minus fine_tuned_error; positive: the zoo helps"),
)

_PHASES_GROUP = (
    Variable("phase", "phases", OF_CELL, "", "phase of the cell", "phases", "int8", _PHASES),
    *(
        Variable(f"{name}_of_cell", "phases", OF_CELL, "1", meaning, "phases")
        for name, meaning in (
            ("train_loss", "training loss that decided"),
            ("mode_connectivity", "mode connectivity that decided"),
            ("cka", "CKA that decided"),
        )
    ),
    Variable("models", "phases", OF_CELL, "1", "models that took part", "phases", "int16"),
    Variable("diverged", "phases", OF_CELL, "1", "models that diverged", "phases", "int16"),
    Variable(
        "collapsed_models", "phases", OF_CELL, "1", "models that collapsed", "phases", "int16"
    ),
)

VARIABLES = {v.name: v for v in (*_METRICS, *_MERGING, *_SEED_AVERAGES, *_TRANSFER, *_PHASES_GROUP)}
