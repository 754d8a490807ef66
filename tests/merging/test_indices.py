"""Axes as expressions: what is unified stays one, what is cut is cut everywhere, or it is fixed."""

from __future__ import annotations

import pytest

from phasezoo.merging.permutation.inference.indices import (
    ONE,
    Concatenation,
    Index,
    Product,
    concatenation,
    cut,
    fix,
    index,
    leaves,
    product,
    resolved,
    split,
    unify,
    why_fixed,
)

WHY = "a test"


def sizes(expression: object) -> object:
    """The form of an expression, an index being its size."""
    match resolved(expression):  # type: ignore[arg-type]
        case Index(size):
            return size
        case Product(factors):
            return tuple(sizes(f) for f in factors)
        case Concatenation(parts):
            return [sizes(p) for p in parts]


def test_a_split_is_seen_wherever_the_index_stands() -> None:
    axis = Index(30)
    outer, inner = split(axis, 5, WHY)
    assert sizes(axis) == (6, 5)
    assert product(outer, inner) == resolved(axis)
    assert split(axis, 5, WHY) == (outer, inner)


def test_a_finer_split_goes_through_factors() -> None:
    axis = Index(30)
    split(axis, 6, WHY)
    outer, inner = split(axis, 3, WHY)
    assert sizes(axis) == (5, 2, 3)
    assert (sizes(outer), sizes(inner)) == ((5, 2), 3)
    assert sizes(split(axis, 15, WHY)[0]) == 2 or why_fixed(axis)


def test_splits_that_cross_are_fixed() -> None:
    axis = Index(6)
    split(axis, 3, WHY)
    outer, inner = split(axis, 2, WHY)
    assert why_fixed(axis) == WHY
    assert (outer.size, inner.size) == (3, 2)
    assert why_fixed(outer) == why_fixed(inner) == WHY


def test_a_cut_is_seen_wherever_the_index_stands() -> None:
    axis = Index(11)
    cut(axis, 3, WHY)
    first, rest = cut(axis, 7, WHY)
    assert sizes(axis) == [3, 4, 4]
    assert (sizes(first), sizes(rest)) == ([3, 4], 4)


def test_a_product_is_cut_between_rows() -> None:
    outer, inner = Index(5), Index(3)
    first, rest = cut(product(outer, inner), 6, WHY)
    assert sizes(outer) == [2, 3]
    assert (sizes(first), sizes(rest)) == ((2, 3), (3, 3))
    assert why_fixed(inner) is None


def test_a_product_that_is_cut_within_a_row_is_fixed() -> None:
    axis = product(Index(5), Index(3))
    first, rest = cut(axis, 7, WHY)
    assert why_fixed(axis) == why_fixed(first) == why_fixed(rest) == WHY


def test_unified_axes_are_one() -> None:
    one, other, third = Index(7), Index(7), Index(7)
    unify(one, other, WHY)
    unify(third, one, WHY)
    fix(third, "seen")
    assert why_fixed(one) == why_fixed(other) == "seen"


@pytest.mark.parametrize(
    ("left", "right", "form"),
    [
        ((30,), (6, 5), (6, 5)),
        ((6, 5), (2, 15), (2, 3, 5)),
        ([3, 8], [7, 4], [3, 4, 4]),
        ([9, 6], (5, 3), ([3, 2], 3)),
        ([4, 8], (4, 3), None),
        ((2, 3), (3, 2), None),
    ],
)
def test_structures_are_unified_in_the_finest_form_or_fixed(
    left: object, right: object, form: object
) -> None:
    def made(of: object) -> object:
        if isinstance(of, tuple):
            return product(*map(made, of))  # type: ignore[arg-type]
        if isinstance(of, list):
            return concatenation(*map(made, of))  # type: ignore[arg-type]
        return Index(of)  # type: ignore[arg-type]

    one, other = made(left), made(right)
    unify(one, other, WHY)  # type: ignore[arg-type]
    if form is None:
        assert why_fixed(one) == why_fixed(other) == WHY  # type: ignore[arg-type]
    else:
        assert sizes(other) == form
        assert set(leaves(one)) == set(leaves(other))  # type: ignore[arg-type]
        assert why_fixed(one) is None  # type: ignore[arg-type]


def test_what_is_unified_with_the_fixed_is_fixed() -> None:
    free, still = product(Index(2), Index(3)), Index(6, "the input")
    unify(free, still, WHY)
    assert why_fixed(free) == "the input"


def test_one_entry_is_neither_free_nor_fixed() -> None:
    assert resolved(index(1)) == ONE
    assert product(index(1), index(1)) == ONE
    assert why_fixed(ONE) is None
