"""Speed and remaining time follow from what was done and a clock."""

from __future__ import annotations

from dataclasses import replace

import oracles
from phasezoo.models.build import build
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import Constant
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.progress import MOST_LINES, Progress
from phasezoo.training.train import start

TASK = oracles.blobs()  # 53 samples
MLP = spec.Mlp(name="mlp", hidden_layers=1, width=3)
HOW = oracles.optimisation(Constant(name="constant"))


def members(count: int) -> list[Member]:
    origin = start(build(MLP, TASK.shape, TASK.classes))
    return [Member(("zoo", f"seed={seed}"), TASK, HOW, origin) for seed in range(count)]


def test_a_line_says_loss_speed_and_what_remains() -> None:
    """Three models of ten epochs, a second each: 2 of 10 done in 2 s leave 8 s."""
    now, lines, some = [0.0], [], members(3)
    progress = Progress(some, 10, lines.append, clock=lambda: now[0])
    now[0] = 2.0
    progress.told(some, 0, 2, [0.5, float("nan"), 0.25])
    assert lines == ["zoo (3 models) epoch 2/10 loss 0.2500 to 0.5000, 159 samples/s, 0:00:08 left"]
    progress.told(some[:1], 2, 3, [0.5])
    assert lines[1].startswith("zoo seed=0 epoch 3/10 loss 0.5000, 186 samples/s")
    progress.told(some[:1], 3, 4, [float("nan")])
    assert "loss nan," in lines[2]


def test_lines_are_few_and_the_last_epoch_has_one() -> None:
    lines: list[str] = []
    some = members(1)
    progress = Progress(some, 1007, lines.append)
    for epoch in range(1, 1008):
        progress.told(some, epoch - 1, epoch, [0.1])
    assert MOST_LINES <= len(lines) <= MOST_LINES + 1
    assert "epoch 1007/1007" in lines[-1]


def test_a_population_says_how_it_is_trained_and_how_far_it_is() -> None:
    for stack in ("one", 2):
        lines: list[str] = []
        given = HOW.model_copy(update={"stack": stack})
        some = [replace(member, optimisation=given) for member in members(2)]
        train_population(build(MLP, TASK.shape, TASK.classes), some, (2,), lines.append)
        assert (
            lines[0] == f"2 models {'2 together' if stack == 2 else 'one after the other'} (as set)"
        )
        assert "epoch 2/2 loss" in lines[-1]
        assert lines[-1].endswith("0:00:00 left")
