"""Tables of the arms are means over cells of what was measured; zoos without arms have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from phasezoo.report.arms import arms_tables
from phasezoo.report.page import page
from phasezoo.store import schema
from phasezoo.store.variables import VARIABLES
from phasezoo.vocabulary import EPOCH
from report.mock import SMALL, mock

WAYS, CORRECTIONS = ["none", "universe"], ["kept", "repair"]
OWN = {
    "alignment": np.array(WAYS, dtype=object),
    "correction": np.array(CORRECTIONS, dtype=object),
    "soup": np.array(["uniform", "greedy"], dtype=object),
    "baseline": np.array(["single", "ensemble"], dtype=object),
    "t": np.linspace(0, 1, 5),
    "sweep": np.arange(3, dtype=np.int32),
}


def with_arms(merging: xr.Dataset) -> xr.Dataset:
    chance, out = np.random.default_rng(0), merging.assign_coords(OWN)
    arms = {
        name: v
        for name, v in VARIABLES.items()
        if v.group == "merging" and set(v.dims) <= set(out.sizes)  # what is judged is left out
    }
    for variable in (v for name, v in arms.items() if name not in merging):
        shape = [out.sizes[dim] for dim in variable.dims]
        values = chance.integers(0, 2, shape) if variable.flags else chance.random(shape)
        out[variable.name] = (variable.dims, values.astype(variable.dtype))
    schema.check(out, arms)
    return out


def test_a_zoo_without_arms_has_no_such_tables(plain: str) -> None:
    assert arms_tables(mock(**SMALL).at_epoch("merging"), "nats") == {}
    assert "Ways of merging" not in plain


def test_means_are_those_over_cells_of_every_arm() -> None:
    results = mock()
    data = with_arms(results.merging).isel({EPOCH: -1})
    tables = arms_tables(data, "nats")
    lines = dict(tables["arms"].lines)
    assert list(lines) == [
        "as they are, statistics averaged",
        "as they are, REPAIR",
        "one frame, layer by layer, statistics averaged",
        "one frame, layer by layer, REPAIR",
    ]
    arm = data.sel(alignment="universe", correction="repair")
    along = arm["path_train_loss"].astype("float64")
    barrier = (along.max("t") - (along.isel(t=0) + along.isel(t=-1)) / 2).mean().item()
    entries = lines["one frame, layer by layer, REPAIR"]
    assert float(entries[0].mean) == pytest.approx(barrier, abs=5e-4)
    error = 100 * arm["path_test_error"].sel(t=0.5).astype("float64").mean().item()
    assert float(entries[1].mean) == pytest.approx(error, abs=5e-3)
    greedy = 100 * arm["soup_error"].sel(soup="greedy").astype("float64").mean().item()
    assert float(entries[4].mean) == pytest.approx(greedy, abs=5e-3)
    beside = dict(tables["baselines"].lines)
    ensemble = 100 * data["baseline_error"].sel(baseline="ensemble").astype("float64").mean().item()
    assert float(beside["ensemble of outputs"][0].mean) == pytest.approx(ensemble, abs=5e-3)


@pytest.mark.usefixtures("undrawn")
def test_the_page_shows_them() -> None:
    results = mock(**SMALL)
    text = page([replace(results, merging=with_arms(results.merging))])
    assert "Ways of merging" in text
    assert "ensemble of outputs" in text
