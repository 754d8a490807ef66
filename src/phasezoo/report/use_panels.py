"""What is shown of every way of using models: numbers over the grid, and columns of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import xarray as xr

from phasezoo.report.panels import ERROR, LOSS, POINTS, Panel
from phasezoo.report.summary import cell_means

_Of = Callable[[xr.Dataset], xr.DataArray]


@dataclass(frozen=True)
class Use:
    """One way of using models.

    Attributes:
        key: of the spec.
        title: of its part of the page.
        shown: panels over the grid and per phase.
        columns: panels of the table per phase.
    """

    key: str
    title: str
    shown: tuple[Panel, ...]
    columns: tuple[Panel, ...]


def _value(name: str, factor: float = 100) -> _Of:
    return lambda data: data[name] * factor


def _lead(worse: str, better: str) -> _Of:
    return lambda data: 100 * (data[worse] - data[better])


def _averaged(name: str, average: str, factor: float = 100) -> _Of:
    """Of an ensemble by what is averaged."""
    return lambda data: (
        factor * (data[name].sel(average=average) if "average" in data[name].dims else data[name])
    )


def _over_best(data: xr.Dataset) -> xr.DataArray:
    together = _averaged("ensemble_error", "probabilities")(data)
    return 100 * data["ensemble_best_error"] - together


def _diversity(data: xr.Dataset) -> xr.DataArray:
    together = _averaged("ensemble_loss", "probabilities", 1)(data)
    return data["ensemble_single_loss"] - together


def _kept_accuracy(data: xr.Dataset) -> xr.DataArray:
    """Accuracy on disturbed images over the clean accuracy of the cell."""
    clean = 1 - cell_means(data["clean_error"])
    return 100 * (1 - data["mean_corruption_error"]) / clean.where(clean > 0)


def _signed(title: str, of: _Of) -> Panel:
    return Panel(title, POINTS, of, "signed")


def _errors(*named: tuple[str, _Of]) -> Sequence[Panel]:
    return [Panel(title, ERROR, of) for title, of in named]


_NEW_TASK = (
    _signed("New task: gain", _value("new_task_gain")),
    _signed("New task: gain of the frozen body", _value("new_task_probe_gain")),
)
_ROBUST = (_signed("Disturbed images: gain", _value("robustness_gain")),)
_TOLD_APART = Panel("Another data set told apart, AUROC", "", _value("foreign_auroc", 1))
_PRUNING = (
    _signed("Pruned: gain", _value("pruning_gain")),
    _signed("Pruned and retrained: gain", _value("pruning_retrained_gain")),
)
_TOGETHER = (
    _signed("Ensemble vs mean of its models", _value("ensembling_gain")),
    _signed("Ensemble vs best of its models", _over_best),
)
_DISAGREEMENT = Panel("Disagreement of two seeds", ERROR, _value("pair_disagreement"))
WAYS_OF_PRUNING = (
    Panel("Pruned", ERROR, _value("pruned_error")),
    _signed("Gain", _lead("unpruned_error", "pruned_error")),
    Panel("Retrained", ERROR, _value("retrained_error")),
    _signed("Retrained: gain", _lead("unpruned_retrained_error", "retrained_error")),
)

USES = (
    Use(
        "new_task",
        "New task",
        _NEW_TASK,
        (
            *_errors(
                ("Fine-tuned", _value("new_task_error")),
                ("From scratch", _value("new_task_scratch_error")),
                ("Frozen body", _value("new_task_probe_error")),
            ),
            *_NEW_TASK,
        ),
    ),
    Use(
        "robustness",
        "Disturbed images",
        (*_ROBUST, _TOLD_APART),
        (
            *_errors(
                ("Clean", _value("clean_error")),
                ("Disturbed", _value("mean_corruption_error")),
                ("Shifted data set", _value("shifted_error")),
            ),
            *_ROBUST,
            Panel("Accuracy kept", ERROR, _kept_accuracy),
            _TOLD_APART,
        ),
    ),
    Use(
        "pruning",
        "Pruning",
        _PRUNING[1:],
        (
            *_errors(
                ("Whole", _value("unpruned_error")),
                ("Whole, trained further", _value("unpruned_retrained_error")),
            ),
            *_PRUNING,
        ),
    ),
    Use(
        "ensembling",
        "Ensembles",
        _TOGETHER[:1],
        (
            *_errors(
                ("Mean of models", _value("ensemble_single_error")),
                ("Best of models", _value("ensemble_best_error")),
                ("Mean probability", _averaged("ensemble_error", "probabilities")),
                ("Mean logit", _averaged("ensemble_error", "logits")),
            ),
            *_TOGETHER,
            Panel("Diversity", LOSS, _diversity),
            _DISAGREEMENT,
        ),
    ),
)
