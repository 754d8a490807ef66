"""Permutations as labelled numbers, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo import rng
from phasezoo.merging.permutation import Part, PermutationSpec, Product, cycles, identity
from phasezoo.merging.stored import MISSING, all_units, labelled, permutations_from, units_of
from phasezoo.models.flat import Layout, Slot
from phasezoo.store.variables import VARIABLES


def attention(width: int, heads: int, size: int) -> tuple[PermutationSpec, Layout]:
    axis = Product((Part("heads", heads), Part("att.v", size)))
    spec = PermutationSpec({"w": (axis, "stream/1")}, within={"att.v": ("heads",)})
    return spec, Layout((Slot("w", 0, (heads * size, width)),))


SMALL, LARGE = attention(5, 2, 3), attention(11, 3, 13)


def stored(of: tuple[PermutationSpec, Layout], by, units) -> xr.DataArray:
    values = labelled(*of, by, units).astype(VARIABLES["permutation"].dtype)
    return xr.DataArray(values, dims="unit", coords={"unit": np.array(units, dtype=object)})


@pytest.mark.parametrize("of", [SMALL, LARGE])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_stored_among_units_of_all_sizes_comes_back(of, seed: int) -> None:
    by = cycles(*of, rng.generator("stored", seed))
    units = all_units([units_of(*SMALL), units_of(*LARGE)])
    there = stored(of, by, units)
    back = permutations_from(there.isel(unit=torch.randperm(len(units)).numpy()))
    assert set(back) == set(by)
    assert all(torch.equal(back[name], by[name]) for name in by)
    assert int((there == MISSING).sum()) == len(units) - len(units_of(*of))


def test_units_are_in_the_order_of_their_places() -> None:
    names = all_units([units_of(*SMALL), units_of(*LARGE)])
    assert names[:3] == ["heads[0]", "heads[1]", "heads[2]"]
    assert names[3:5] == ["att.v[0,0]", "att.v[0,1]"]
    assert names[-2:] == ["stream/1[9]", "stream/1[10]"]
    assert len(names) == len(units_of(*LARGE))


def test_what_was_not_permuted_is_the_identity() -> None:
    back = permutations_from(stored(SMALL, {}, units_of(*SMALL)))
    whole = identity(*SMALL)
    assert all(torch.equal(back[name], whole[name]) for name in whole)


def test_missing_is_what_the_store_has_for_it() -> None:
    assert VARIABLES["permutation"].missing == MISSING


def test_other_axes_and_other_labels_are_refused() -> None:
    there = stored(SMALL, {}, units_of(*SMALL))
    with pytest.raises(ValueError, match=r"got axes .'pair', 'unit'.*allowed is"):
        permutations_from(there.expand_dims("pair"))
    with pytest.raises(ValueError, match=r"unit: got 'hidden', allowed are"):
        permutations_from(xr.DataArray([0], dims="unit", coords={"unit": ["hidden"]}))
