"""Axes as expressions of symbolic indices, found out step by step, as types of variables are.

An index stands for units of which it is not known yet that they differ in kind. Where a graph
takes an axis apart, the index is bound to a product of others (a view as heads and their
dimensions) or to a concatenation of others (a slice); where two axes have to go together, one is
bound to the other. What contradicts this is fixed: not permuted, which is always right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise


@dataclass(eq=False)
class Index:
    """Units numbered from 0; `fixed` says why they keep their places, if they do."""

    size: int
    fixed: str | None = None
    bound: Expression | None = None


@dataclass(frozen=True)
class Product:
    """Entries numbered row by row: the first factor changes slowest."""

    factors: tuple[Expression, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(factor.size for factor in self.factors)


@dataclass(frozen=True)
class Concatenation:
    """Parts that follow each other."""

    parts: tuple[Expression, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return sum(part.size for part in self.parts)


Expression = Index | Product | Concatenation
ONE = Product(())  # an axis of one entry


def index(size: int, fixed: str | None = None) -> Expression:
    """A new index, or one entry."""
    return ONE if size == 1 else Index(size, fixed)


def product(*factors: Expression) -> Expression:
    """In normal form: known as far as it is, not nested, without factors of one entry."""
    flat: list[Expression] = []
    for factor in map(resolved, factors):
        flat += factor.factors if isinstance(factor, Product) else [factor]
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def concatenation(*parts: Expression) -> Expression:
    """In normal form: known as far as it is, not nested, without empty parts."""
    flat: list[Expression] = []
    for part in map(resolved, parts):
        flat += part.parts if isinstance(part, Concatenation) else [part]
    flat = [part for part in flat if part.size]
    return flat[0] if len(flat) == 1 else Concatenation(tuple(flat))


def resolved(expression: Expression) -> Expression:
    """What is known of an axis by now, in normal form."""
    match expression:
        case Index(bound=None):
            return expression
        case Index(bound=known) if known is not None:
            return resolved(known)
        case Product(factors):
            return product(*factors)
        case Concatenation(parts):
            return concatenation(*parts)
    raise AssertionError(expression)


def leaves(expression: Expression) -> Iterator[Index]:
    """The indices that an axis is made of."""
    match resolved(expression):
        case Index() as leaf:
            yield leaf
        case Product(inner) | Concatenation(inner):
            for one in inner:
                yield from leaves(one)


def fix(expression: Expression, why: str) -> None:
    """Nothing of an axis is permuted."""
    for leaf in leaves(expression):
        leaf.fixed = leaf.fixed or why


def why_fixed(expression: Expression) -> str | None:
    """Why no entry of an axis is permuted; None if some are, or if there is but one."""
    reasons = [leaf.fixed for leaf in leaves(expression)]
    return reasons[0] if reasons and all(reasons) else None


def split(expression: Expression, inner: int, why: str) -> tuple[Expression, Expression]:
    """Factors [size / inner] and [inner] of an axis; fixed because of `why` if it has none."""
    known = resolved(expression)
    match known:
        case _ if inner == 1:
            return known, ONE
        case _ if inner == known.size:
            return ONE, known
        case Index(fixed=None):
            known.bound = Product((index(known.size // inner), index(inner)))
            return known.bound.factors[0], known.bound.factors[1]
        case Product(factors):
            *outer, last = factors
            if not inner % last.size:
                before, rest = split(Product(tuple(outer)), inner // last.size, why)
                return before, product(rest, last)
            if not last.size % inner:
                rest, end = split(last, inner, why)
                return product(*outer, rest), end
        case Concatenation(parts) if not any(part.size % inner for part in parts):
            pairs = [split(part, inner, why) for part in parts]
            for _, end in pairs[1:]:
                unify(pairs[0][1], end, why)
            return concatenation(*(outer for outer, _ in pairs)), resolved(pairs[0][1])
    reason = _fixed(known, why)
    return index(known.size // inner, reason), index(inner, reason)


def cut(expression: Expression, first: int, why: str) -> tuple[Expression, Expression]:
    """The first entries of an axis and the others; fixed because of `why` if it has no such cut."""
    known = resolved(expression)
    match known:
        case _ if first in (0, known.size):
            empty = Concatenation(())
            return (known, empty) if first else (empty, known)
        case Index(fixed=None):
            known.bound = Concatenation((index(first), index(known.size - first)))
            return known.bound.parts[0], known.bound.parts[1]
        case Concatenation(parts):
            inside = cut(parts[0], min(first, parts[0].size), why)
            others = cut(concatenation(*parts[1:]), max(first - parts[0].size, 0), why)
            return concatenation(inside[0], others[0]), concatenation(inside[1], others[1])
        case Product((outer, *inner)):
            row = product(*inner)
            if not first % row.size:
                before, after = cut(outer, first // row.size, why)
                return product(before, row), product(after, row)
    reason = _fixed(known, why)
    return index(first, reason), index(known.size - first, reason)


def _fixed(expression: Expression, why: str) -> str:
    fix(expression, why)
    return why_fixed(expression) or why


def unify(one: Expression, other: Expression, why: str) -> None:
    """Two axes are permuted alike; fixed because of `why` where their structures contradict."""
    one, other = resolved(one), resolved(other)
    if one == other or one.size == 1:
        return
    if reason := why_fixed(one) or why_fixed(other):
        fix(one, reason)
        fix(other, reason)
        return
    match one, other:
        case Index(), _:
            one.bound = other
        case _, Index():
            other.bound = one
        case Concatenation(), Concatenation():
            _unify_parts(one.parts, other.parts, why)
        case Product(), Product():
            _unify_factors(one, other, why)
        case Product(), Concatenation():
            _unify_rows(one, other.parts, why)
        case Concatenation(), Product():
            _unify_rows(other, one.parts, why)


def _unify_parts(one: Sequence[Expression], other: Sequence[Expression], why: str) -> None:
    left, right = concatenation(*one), concatenation(*other)
    while left.size:
        size = min(_head(left).size, _head(right).size)
        (a, left), (b, right) = cut(left, size, why), cut(right, size, why)
        unify(a, b, why)


def _head(expression: Expression) -> Expression:
    return expression.parts[0] if isinstance(expression, Concatenation) else expression


def _unify_factors(one: Product, other: Product, why: str) -> None:
    size, larger = sorted((one.factors[-1].size, other.factors[-1].size))
    if larger % size:
        fix(one, why)
        fix(other, why)
        return
    (outer_a, a), (outer_b, b) = split(one, size, why), split(other, size, why)
    unify(a, b, why)
    unify(outer_a, outer_b, why)


def _unify_rows(one: Product, parts: Sequence[Expression], why: str) -> None:
    """A product and a concatenation, cut wherever a row and a part end together."""
    row = product(*one.factors[1:]).size
    ends = [end for end in accumulate(part.size for part in parts) if not end % row]
    if len(ends) == 1:
        for expression in (one, *parts):
            fix(expression, why)
        return
    left, right = resolved(one), concatenation(*parts)
    for start, end in pairwise((0, *ends)):
        (a, left), (b, right) = cut(left, end - start, why), cut(right, end - start, why)
        unify(a, b, why)
