"""A Krylov basis is orthonormal, and projects the operator onto its tridiagonal matrix."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import oracles
import phasezoo.landscape.lanczos as lanczos_module
from phasezoo import rng
from phasezoo.landscape.lanczos import Krylov, dots, lanczos, normal_like, norms, outside

SIZE = 31
MATRIX = oracles.symmetric(np.linspace(-11, 5, SIZE), 0)


def spaces_of(
    matrices: list[Tensor], steps: int, done: object = lambda space: False
) -> tuple[list[Krylov], Tensor]:
    stacked = torch.stack(matrices)
    starts = torch.stack([oracles.vector(len(m), i) for i, m in enumerate(matrices)])
    chances = [rng.generator("row", i) for i in range(len(matrices))]
    return lanczos(
        lambda v: torch.bmm(stacked, v[:, :, None])[:, :, 0],
        starts.to(stacked.dtype),
        steps,
        done,  # type: ignore[arg-type]
        chances,
    )


def tridiagonal(space: Krylov) -> Tensor:
    off = torch.tensor(space.off[:-1], dtype=torch.float64)
    return torch.tensor(space.diagonal, dtype=torch.float64).diag() + off.diag(1) + off.diag(-1)


@pytest.mark.parametrize("steps", [1, 2, 7, SIZE])
def test_the_basis_projects_the_operator_onto_t(steps: int) -> None:
    (space,), basis = spaces_of([MATRIX], steps)
    q = basis[0]
    assert q.shape == (steps, SIZE)
    torch.testing.assert_close(q @ q.T, torch.eye(steps, dtype=torch.float64), atol=1e-13, rtol=0)
    torch.testing.assert_close(q @ MATRIX @ q.T, tridiagonal(space), atol=1e-11, rtol=0)
    left = MATRIX @ q.T - q.T @ tridiagonal(space)
    assert torch.linalg.matrix_norm(left).item() == pytest.approx(space.off[-1], abs=1e-11)


def test_float32_keeps_its_basis_orthonormal() -> None:
    wide = oracles.symmetric(np.r_[np.linspace(-1, 1, 96), 50], 1).float()
    _, basis = spaces_of([wide], 60)
    found = basis[0] @ basis[0].T
    torch.testing.assert_close(found, torch.eye(60), atol=2e-6, rtol=0)


def test_the_first_direction_is_that_of_the_start() -> None:
    _, basis = spaces_of([MATRIX], 3)
    start = oracles.vector(SIZE, 0)
    torch.testing.assert_close(basis[0, 0], start / start.norm())


def test_no_more_steps_than_dimensions() -> None:
    (space,), basis = spaces_of([MATRIX], 100)
    assert len(space) == SIZE
    assert basis.shape == (1, SIZE, SIZE)
    found, _ = space.eigen()
    np.testing.assert_allclose(found, np.linspace(5, -11, SIZE), atol=1e-11)


def test_a_row_that_is_done_is_zero_and_the_others_go_on() -> None:
    seen: list[Krylov] = []

    def first_after_four(space: Krylov) -> bool:
        seen.append(space)
        return space is seen[0] and len(space) == 4

    spaces, basis = spaces_of([MATRIX, MATRIX], 9, first_after_four)
    (alone,), its_basis = spaces_of([MATRIX], 4)
    assert [len(space) for space in spaces] == [4, 9]
    assert spaces[0].diagonal == pytest.approx(alone.diagonal, rel=1e-12)
    assert spaces[0].off == pytest.approx(alone.off, rel=1e-12)
    torch.testing.assert_close(basis[0, :4], its_basis[0])
    assert (basis[0, 4:] == 0).all()


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_a_closed_subspace_goes_on_with_a_new_direction(value: float) -> None:
    (space,), basis = spaces_of([value * torch.eye(5, dtype=torch.float64)], 4)
    assert space.diagonal == pytest.approx([value] * 4, abs=1e-15)
    assert space.off == [0.0] * 4
    torch.testing.assert_close(basis[0] @ basis[0].T, torch.eye(4, dtype=torch.float64))


def test_a_row_that_is_not_finite_ends_alone() -> None:
    broken = MATRIX.clone()
    broken[3, 3] = math.nan
    spaces, basis = spaces_of([broken, MATRIX], 6)
    alone, _ = spaces_of([MATRIX, MATRIX], 6)
    assert [space.finite for space in spaces] == [False, True]
    assert len(spaces[0]) == 1
    assert spaces[1].diagonal == pytest.approx(alone[1].diagonal, rel=1e-12)
    assert basis[1].isfinite().all()
    assert (basis[0, 1:] == 0).all()


def test_taking_out_the_basis_leaves_what_is_orthogonal_to_it() -> None:
    _, basis = spaces_of([MATRIX], 5)
    vector = oracles.vector(SIZE, 7)[None]
    left = outside(vector, basis)
    assert (basis[0] @ left[0]).abs().max() < 1e-14
    along = vector[0] - left[0]
    torch.testing.assert_close(basis[0].T @ (basis[0] @ along), along)


def test_inner_products_are_summed_in_float64() -> None:
    large, ones = torch.full((2, 1 << 21), 1e4), torch.ones(2, 1 << 21)
    large[:, 0] = 1.0
    assert dots(large, ones).tolist() == [1e4 * ((1 << 21) - 1) + 1] * 2
    assert norms(ones).tolist() == pytest.approx([math.sqrt(1 << 21)] * 2, rel=1e-7)


def test_normal_numbers_take_type_and_shape_of_what_they_are_like() -> None:
    like = torch.zeros(3, 101, dtype=torch.float64)
    found = normal_like(like, rng.generator("a"))
    assert (found.shape, found.dtype) == (like.shape, like.dtype)
    assert torch.equal(found, normal_like(like, rng.generator("a")))
    assert abs(found.std().item() - 1) < 4 / math.sqrt(2 * 303)


@pytest.mark.parametrize("room", [1, 2, 5])
def test_a_basis_grows_with_the_steps_and_only_so_far(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit that of a basis with room for all."""
    matrices = [MATRIX, oracles.symmetric(np.linspace(-3, 7, SIZE), 1)]
    monkeypatch.setattr(lanczos_module, "_ROOM", 1000)
    spaces, basis = spaces_of(matrices, 23)
    monkeypatch.setattr(lanczos_module, "_ROOM", room)
    grown, found = spaces_of(matrices, 23)
    assert torch.equal(found, basis)
    assert [(s.diagonal, s.off) for s in grown] == [(s.diagonal, s.off) for s in spaces]
    _, short = spaces_of(matrices, 23, lambda space: len(space) == 3)
    assert short.shape[1] == 3
    assert short.untyped_storage().nbytes() <= 8 * 2 * SIZE * max(room, 4)
