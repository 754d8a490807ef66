"""Labels of the cells of a grid, with what decided them and how certain they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from phasezoo.phases.border import near_border
from phasezoo.phases.calibrate import Chosen, calibrate
from phasezoo.phases.cells import Floats, Replicated, in_fractions, replicated
from phasezoo.phases.confidence import confidence, dissent
from phasezoo.phases.counting import models_of
from phasezoo.phases.notes import notes
from phasezoo.phases.order import Order, order_of
from phasezoo.phases.scheme import SCHEMES, Scheme, Thresholds
from phasezoo.rng import seed_of
from phasezoo.spec.phases import Criteria, PhaseCriteria
from phasezoo.vocabulary import EPOCH, LOAD, PAIR, SEED, TEMPERATURE


def classify_phases(metrics: xr.Dataset, criteria: Criteria | None = None) -> xr.Dataset:
    """Label every cell and epoch of a grid.

    A cell is underfitted where the training loss reaches its threshold, has a barrier where mode
    connectivity lies below minus its threshold, and its models are similar where CKA reaches its
    threshold (arXiv 2504.18072, phase table; Yang et al. 2021, arXiv 2107.11228):

        =============  =======  =========================
        training loss  barrier  connected
        =============  =======  =========================
        high           I        II
        low            III      IV-A, or IV-B if similar
        =============  =======  =========================

    IV-A lies on the cold side: a connected cell of low loss that is hotter than the most similar
    one of its load is IV-B as that one is, and near a border. Thresholds are given, or calibrated
    from the last epoch with all metrics (`phasezoo.phases.calibrate`). Seeds and pairs of a cell
    become one number by `criteria.seeds`; a mean lets pairs of opposite sign cancel, a median does
    not. Diverged models take no part and are counted, collapsed ones are only counted.

    Args:
        metrics: over load and temperature, and optionally seed, pair, epoch; with the variables
            train_loss, mode_connectivity and cka (errors and connectivity as fractions), or for
            the scheme `regimes` train_loss and test_error. Each may be of seeds or pairs, or one
            number per cell; missing numbers are passed over. Connectivity in percentage points is
            known by its unit or by values beyond 1 (beyond what a store of an equation states),
            taken as such, and noted.
        criteria: scheme and thresholds; phases with calibrated thresholds if nothing is given.

    Returns:
        Dataset over (load, temperature[, epoch]): `phase` int8, `confidence` (share of resampled
        seeds and pairs with the same label), `near_border` (the label changes when one threshold
        is moved by `criteria.factor`), the numbers that decided, and how many models took part,
        diverged, collapsed, or dissent from their cell. A cell lacking a number that decides is
        `MISSING`. The attributes say which thresholds were used, how they were come by, and what
        was noticed about the metrics (`notes`).

    Raises:
        ValueError: a variable or an axis is missing, there is an axis that means nothing here, or
            temperatures are no numbers.
    """
    criteria = criteria or PhaseCriteria()
    scheme = SCHEMES[criteria.scheme]
    _check(metrics, scheme)
    order = order_of(metrics)
    noticed = notes(metrics, scheme, order)
    metrics = in_fractions(metrics)
    epochs = metrics[EPOCH].values if EPOCH in metrics.dims else [None]
    tables = [_table(metrics, scheme, order, epoch) for epoch in epochs]
    labelling = _labelling(scheme, criteria, tables)
    parts = [labelling.of(table, str(epoch)) for table, epoch in zip(tables, epochs, strict=True)]
    arrays = {name: np.stack([part[name] for part in parts], axis=-1) for name in parts[0]}
    out = _dataset(metrics, order, arrays)
    for name, count in models_of(metrics).items():
        out[name] = count.broadcast_like(out["phase"]).astype("int16")
    axes = [axis for axis in (LOAD, TEMPERATURE, EPOCH) if axis in out["phase"].dims]
    out = out.transpose(*axes)
    out.attrs = labelling.attributes(noticed)
    return out


Table = Mapping[str, Replicated]
_DIMS = (LOAD, TEMPERATURE, SEED, PAIR, EPOCH)


@dataclass(frozen=True)
class _Labelling:
    """A scheme with its thresholds, chosen once for all epochs."""

    scheme: Scheme
    criteria: Criteria
    chosen: Mapping[str, Chosen]

    @property
    def at(self) -> Thresholds:
        return {name: found.value for name, found in self.chosen.items()}

    def of(self, table: Table, names: str) -> dict[str, Floats]:
        """Arrays [load, temperature] of the output, for one epoch."""
        how, criteria = self.criteria.seeds, self.criteria
        cells = {name: metric.of_cells(how) for name, metric in table.items()}
        labels = self.scheme.answer(cells, self.at)
        chance = np.random.default_rng(seed_of("phases", names))
        given = _given(self.scheme, criteria)
        share = confidence(self.scheme, table, labels, given, criteria.resamples, how, chance)
        border = near_border(self.scheme, cells, self.at, criteria.factor) & (labels > 0)
        odd = dissent(table["train_loss"], cells["train_loss"], self.at).sum(axis=-1)
        return {
            "phase": labels,
            "confidence": share.astype(np.float32),
            "near_border": border.astype(np.int8),
            "dissenting_models": odd.astype(np.int16),
            **{f"{name}_of_cell": values.astype(np.float32) for name, values in cells.items()},
        }

    def attributes(self, noticed: list[str]) -> dict[str, str]:
        """What was chosen, as attributes that any file format holds."""
        thresholds = {name: {"value": c.value, "how": c.how} for name, c in self.chosen.items()}
        return {
            "scheme": self.criteria.scheme,
            "thresholds": json.dumps(thresholds),
            "notes": "\n".join(noticed),
        }


def _labelling(scheme: Scheme, criteria: Criteria, tables: list[Table]) -> _Labelling:
    """Thresholds from the last epoch at which something of every metric was measured."""
    whole = [t for t in tables if all(np.isfinite(m.values).any() for m in t.values())]
    last = (whole or tables)[-1]
    cells = {name: metric.of_cells(criteria.seeds) for name, metric in last.items()}
    return _Labelling(scheme, criteria, calibrate(scheme, cells, _given(scheme, criteria)))


def _given(scheme: Scheme, criteria: Criteria) -> dict[str, float | str]:
    return {name: getattr(criteria, name) for name in scheme.metrics}


def _table(metrics: xr.Dataset, scheme: Scheme, order: Order, epoch: object) -> Table:
    """The deciding metrics of one epoch, loads as they stand, temperatures from cold to hot."""
    one = metrics if epoch is None else metrics.sel({EPOCH: epoch})
    ordered = one.isel({TEMPERATURE: order.cold_to_hot})
    return {name: replicated(ordered[name], ordered) for name in scheme.metrics}


def _dataset(metrics: xr.Dataset, order: Order, arrays: Mapping[str, Floats]) -> xr.Dataset:
    """Arrays [load, temperature, epoch] with the labels of the metrics, in their order."""
    one_epoch = EPOCH not in metrics.dims  # its label may stand beside the axes
    named = metrics.drop_vars(EPOCH, errors="ignore") if one_epoch else metrics
    coords = {axis: named[axis] for axis in (LOAD, TEMPERATURE)}
    dims = (LOAD, TEMPERATURE, EPOCH)
    back = np.argsort(order.cold_to_hot)
    out = xr.Dataset({n: (dims, v[:, back]) for n, v in arrays.items()}, coords=coords)
    out = out.isel({EPOCH: 0}) if one_epoch else out
    return out.assign_coords({EPOCH: metrics[EPOCH]}) if EPOCH in metrics.coords else out


def _check(metrics: xr.Dataset, scheme: Scheme) -> None:
    for name in scheme.metrics:
        if name not in metrics:
            known = ", ".join(map(str, metrics.data_vars))
            raise ValueError(f"metrics: got {known}; '{name}' is missing")
        for axis in (LOAD, TEMPERATURE):
            if axis not in metrics[name].dims:
                raise ValueError(f"metrics.{name}: got dims {metrics[name].dims}, '{axis}' missing")
        if not set(metrics[name].dims) <= set(_DIMS):
            allowed = ", ".join(_DIMS)
            raise ValueError(
                f"metrics.{name}: got dims {metrics[name].dims}, allowed are {allowed}"
            )
