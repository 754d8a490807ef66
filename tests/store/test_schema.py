"""What is written is what is declared, variable by variable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from phasezoo.store import schema
from phasezoo.store.schema import SchemaError, family_variables
from phasezoo.store.variables import VARIABLES, Variable
from phasezoo.vocabulary import PHASE_MEANINGS, RELATIVE_UP_TO, Status

SIMILARITY = family_variables("similarity")
SIZES = {"load": 2, "temperature": 3, "seed": 5, "pair": 7, "epoch": 1, "block": 1}
SIZES |= {"t": 11, "layer": 2, "matrix": 4, "rank": 3, "quadrature": 6}
SIZES |= {"alignment": 4, "correction": 3, "soup": 2, "baseline": 2, "sweep": 8}
SIZES |= {"tensor": 3, "statistic": 5, "left_out": 2, "inputs": 4, "learner": 1}
SIZES |= {"outputs": 3, "bin": 5, "recipe": 4, "checkpoint": 2, "unit": 13}


def right(variables: dict[str, Variable]) -> xr.Dataset:
    """A Dataset of zeros that is what it should be."""
    return xr.Dataset(
        {
            name: (v.dims, np.zeros([SIZES[d] for d in v.dims], dtype=v.dtype))
            for name, v in variables.items()
        }
    )


@pytest.mark.parametrize("family", sorted({v.family for v in VARIABLES.values()}))
def test_what_is_declared_passes(family: str) -> None:
    schema.check(right(family_variables(family)), family_variables(family))


def test_an_undeclared_variable_is_refused_by_name() -> None:
    data = right(SIMILARITY).assign(similarity=0.0)
    with pytest.raises(
        SchemaError, match="similarity: not declared; allowed are cka, cka_standard"
    ):
        schema.check(data, SIMILARITY)


def test_a_variable_of_another_family_is_refused() -> None:
    with pytest.raises(SchemaError, match="train_loss: not declared"):
        schema.check(right(SIMILARITY | family_variables("evaluation")), SIMILARITY)


def test_a_missing_variable_is_refused_by_name() -> None:
    data = right(SIMILARITY).drop_vars("cka")
    with pytest.raises(SchemaError, match="cka: missing; declared are cka, cka_standard"):
        schema.check(data, SIMILARITY)


def test_other_dims_are_refused_with_those_declared() -> None:
    data = right(SIMILARITY)
    data["cka"] = data["cka"].transpose("temperature", "load", "pair", "epoch")
    expected = (
        r"cka: got dims \('temperature', 'load', 'pair', 'epoch'\), "
        r"allowed are \('load', 'temperature', 'pair', 'epoch'\)"
    )
    with pytest.raises(SchemaError, match=expected):
        schema.check(data, SIMILARITY)


@pytest.mark.parametrize(
    ("family", "name", "got", "allowed"),
    [
        ("similarity", "cka", "float64", "float32"),
        ("evaluation", "status", "int64", "int8"),
        ("phases", "models", "float32", "int16"),
    ],
)
def test_another_type_is_refused_with_the_one_declared(
    family: str, name: str, got: str, allowed: str
) -> None:
    data = right(family_variables(family))
    data[name] = data[name].astype(got)
    with pytest.raises(SchemaError, match=f"{name}: got type {got}, allowed is {allowed}"):
        schema.check(data, family_variables(family))


def test_a_coordinate_that_is_no_axis_is_refused() -> None:
    data = right(SIMILARITY).assign_coords(width=("load", [3, 5]))
    with pytest.raises(SchemaError, match=r"width: not a coordinate; allowed are \['alignment', "):
        schema.check(data, SIMILARITY)


def test_the_table_has_a_row_for_every_variable_and_no_other() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in schema.table().split("\n")]
    assert rows[0] == ["group", "variable", "dims", "units", "meaning"]
    found = {row[1].strip("`"): row for row in rows[2:]}
    assert list(found) == list(VARIABLES)
    for name, variable in VARIABLES.items():
        group, _, dims, _, meaning = found[name]
        assert (group, dims.split(", "), meaning) == (
            variable.group,
            list(variable.dims),
            variable.long_name,
        )


def test_every_variable_stands_in_one_family_under_its_own_name() -> None:
    families = {v.family for v in VARIABLES.values()}
    parts = [family_variables(family) for family in families]
    assert sum(map(len, parts)) == len(VARIABLES)
    assert all(name == v.name for name, v in VARIABLES.items())


def test_flags_carry_their_values_and_meanings_and_numbers_their_units() -> None:
    for variable in VARIABLES.values():
        attributes = variable.attributes
        assert attributes["long_name"] == variable.long_name
        if variable.flags:
            values, meanings = attributes["flag_values"], str(attributes["flag_meanings"]).split()
            assert isinstance(values, np.ndarray)
            assert values.dtype == variable.dtype  # the CF conventions ask for it
            assert dict(zip(values.tolist(), meanings, strict=True)) == dict(variable.flags)
            assert "units" not in attributes
        else:
            assert attributes["units"] == variable.units
            assert "flag_values" not in attributes


def test_the_flags_are_those_of_the_vocabulary() -> None:
    assert set(VARIABLES["phase"].flags) == {int(phase) for phase in PHASE_MEANINGS}
    assert VARIABLES["status"].flags == {int(s): s.name.lower() for s in Status}


def test_axes_are_described_by_their_hyperparameter_and_direction() -> None:
    data = right(SIMILARITY).assign_coords(load=[3, 5], temperature=[7, 11, 13], epoch=[2])
    found = schema.described(data, "width", "learning_rate")
    assert found["load"].attrs["hyperparameter"] == "width"
    assert found["load"].attrs["direction"] == "load falls as width grows"
    assert found["temperature"].attrs["direction"] == "temperature grows as learning_rate grows"
    assert found["cka"].attrs == VARIABLES["cka"].attributes
    assert "seed" not in found.coords
    assert not data["cka"].attrs  # what was given is left as it was


@pytest.mark.parametrize(("value", "said"), [(-1.0, {}), (-1.5, {RELATIVE_UP_TO: 1.5})])
def test_connectivity_beyond_what_shares_allow_says_how_far(
    value: float, said: dict[str, float]
) -> None:
    data = right(family_variables("connectivity"))
    data["mode_connectivity"][0, 1, 3:] = value
    data["mode_connectivity"][0, 1, 2] = np.nan
    found = schema.described(data, "beta", "learning_rate")["mode_connectivity"]
    assert found.attrs == VARIABLES["mode_connectivity"].attributes | said


@pytest.mark.parametrize(
    ("name", "missing"),
    [("cka", np.nan), ("phase", -1), ("status", 0), ("matching_converged", -1), ("models", 0)],
)
def test_what_was_not_measured_has_its_own_value(name: str, missing: float) -> None:
    np.testing.assert_equal(schema.missing_value(VARIABLES[name]), missing)


def test_the_document_is_the_table() -> None:
    document = Path(__file__).parents[2] / "docs/schema.md"
    assert document.read_text("utf-8") == schema.table() + "\n"


def test_losses_and_errors_are_those_of_every_kind_of_task() -> None:
    for name in ("train", "test"):
        loss, error = (VARIABLES[f"{name}_{what}"].long_name for what in ("loss", "error"))
        assert all(word in loss for word in ("classes", "tokens", "equation"))
        assert all(word in error for word in ("classes", "tokens", "relative L2 error"))
