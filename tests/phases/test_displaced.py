"""Maps of phases, moved and mirrored."""

from __future__ import annotations

import numpy as np

from phasezoo.phases.displaced import displaced
from phasezoo.phases.explained import explained

ROW, COLUMN = np.indices((5, 7))
PHASE = 1 + (ROW + COLUMN > 4).astype(np.int8) + (ROW * COLUMN > 11).astype(np.int8)


def test_every_place_of_a_map_and_its_mirror_images_is_there_once() -> None:
    of_all_cells = np.arange(35).reshape(1, 5, 7)
    found = [of.tobytes() for of in displaced(of_all_cells)]
    assert len(found) == len(set(found)) == 2 * 5 * 2 * 7 - 1
    assert of_all_cells.tobytes() not in found
    assert of_all_cells[:, ::-1, ::-1].tobytes() in found


def test_neighbours_in_a_moved_map_were_neighbours_or_are_the_same() -> None:
    for (of,) in displaced(np.arange(35).reshape(1, 5, 7)):
        assert np.abs(np.diff(of // 7, axis=0)).max() <= 1
        assert np.abs(np.diff(of % 7, axis=1)).max() <= 1


def test_all_folds_move_together() -> None:
    for first, second in displaced(np.stack([PHASE, 10 * PHASE])):
        assert (second == 10 * first).all()


def test_a_map_without_shape_is_nowhere_else() -> None:
    assert not list(displaced(np.ones((2, 3, 5), dtype=np.int8)))


def test_smooth_fields_that_know_nothing_of_phases_are_rarely_told() -> None:
    """At 5 %, in less than 15 % of draws; of maps that come in at the other side, in 32 %."""
    chance = np.random.default_rng(2)
    rows, columns = (_blur(length) for length in PHASE.shape)
    told = 0
    for _ in range(60):
        field = rows @ chance.standard_normal((15, 21)) @ columns.T
        noise = 0.2 * field.std() * chance.standard_normal(field.shape)
        told += explained(field + noise, PHASE, "additive").chance <= 0.05
    assert told < 0.15 * 60


def _blur(length: int) -> np.ndarray:
    away = np.arange(length)[:, None] - np.arange(-length, 2 * length)
    return np.exp(-np.square(away / 1.5) / 2)
