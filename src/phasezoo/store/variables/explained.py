"""What the phase explains of the variance between cells."""

from __future__ import annotations

from phasezoo.store.variables.variable import Family

_FAMILY = Family("explained", "explained")
QUANTITY, POSITION = "quantity", "position"
_ALONE, _BESIDE = (QUANTITY,), (QUANTITY, POSITION)
_BEYOND = "share of what load and temperature leave that the phase explains"

EXPLAINED = (
    _FAMILY.truth(
        _ALONE, "cross_fitted", "whether labels are of other seeds than the numbers they explain"
    ),
    _FAMILY.number(_ALONE, "explained_epoch", "epoch of the quantity"),
    _FAMILY.number(_ALONE, "explained_cells", "cells that have a label and a value"),
    _FAMILY.number(_ALONE, "explained_values", "models, pairs or blocks in them"),
    _FAMILY.number(
        _ALONE, "seed_share", "share of the variance between cells that the chance of seeds makes"
    ),
    _FAMILY.number(_ALONE, "phase_r2", "R2 of the phase alone"),
    _FAMILY.number(_BESIDE, "position_r2", "R2 of load and temperature"),
    _FAMILY.number(_BESIDE, "position_and_phase_r2", "R2 of load, temperature and phase"),
    _FAMILY.number(_BESIDE, "phase_beyond", f"{_BEYOND}, adjusted for the number of phases"),
    _FAMILY.number(_BESIDE, "phase_beyond_low", f"low end of the 95 % interval: {_BEYOND}"),
    _FAMILY.number(_BESIDE, "phase_beyond_high", f"high end of the 95 % interval: {_BEYOND}"),
    _FAMILY.number(
        _BESIDE, "phase_beyond_true", f"{_BEYOND}, the chance of seeds taken from both variances"
    ),
    _FAMILY.number(
        _BESIDE, "phase_beyond_left_out", f"{_BEYOND}, of cells that were left out of the fit"
    ),
    _FAMILY.number(
        _BESIDE,
        "phase_chance",
        "share of maps of the phases, moved and mirrored, that explain as much",
    ),
    _FAMILY.number(_BESIDE, "phase_maps", "how many maps these are, that of the phases among them"),
)
