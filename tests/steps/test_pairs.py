"""Pairs of seeds are the same whether their seeds were trained in one block or in two."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from phasezoo.store import measurements
from steps.tiny import MLP, STUDY, Tiny


def study(seeds: list[list[int]], pairs: str) -> dict:
    given = deepcopy(STUDY)
    given["run"], given["zoos"] = [MLP], {MLP: given["zoos"][MLP]}
    zoo = given["zoos"][MLP]
    zoo |= {"seeds": seeds, "pairs": pairs, "load": {"hyperparameter": "width", "values": [5]}}
    zoo["temperature"]["values"] = [[13]]
    zoo["metrics"]["hessian"] = None
    del zoo["transfer"]
    return given


def results(root: Path, seeds: list[list[int]], pairs: str = "all") -> dict[str, xr.Dataset]:
    tiny = Tiny(root, study(seeds, pairs))
    return {g: measurements.read(tiny.joined(MLP, g)) for g in ("metrics", "merging")}


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, xr.Dataset]:
    return results(tmp_path_factory.mktemp("together"), [[0, 1, 2, 3]])


@pytest.mark.parametrize("blocks", [[[0, 1], [2, 3]], [[0, 3], [1, 2]], [[0], [1], [2], [3]]])
def test_blocks_do_not_change_the_numbers(
    together: dict[str, xr.Dataset], tmp_path: Path, blocks: list[list[int]]
) -> None:
    apart = results(tmp_path, blocks)
    for group, expected in together.items():
        found = apart[group].sortby(["seed", "pair"] if "seed" in expected.dims else "pair")
        assert found["pair"].values.tolist() == ["0-1", "0-2", "0-3", "1-2", "1-3", "2-3"]
        for name in expected.data_vars:
            if "block" not in expected[name].dims:
                # what is computed together is rounded together, and training amplifies that
                np.testing.assert_allclose(
                    found[name], expected[name], rtol=1e-2, atol=2e-3, err_msg=str(name)
                )


def test_within_blocks_only_their_own_pairs_are_measured(tmp_path: Path) -> None:
    found = results(tmp_path, [[0, 1], [2, 3]], "within")
    assert found["metrics"]["pair"].values.tolist() == ["0-1", "2-3"]
