"""Rates are those of torch's own schedulers, whatever segment they are asked for."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import Tensor
from torch.optim import SGD, lr_scheduler

import oracles
from phasezoo.spec.training import Constant, Cosine, Lbfgs, OneCycle, Optimisation
from phasezoo.training.schedule import rates

STEPS = 7  # per epoch
EPOCHS = 5
HORIZON = STEPS * EPOCHS


def stepped(make: type[lr_scheduler.LRScheduler], **options: object) -> Tensor:
    """Learning rate and momentum that every step of a real training sees."""
    weight = torch.zeros(1, requires_grad=True)
    optimiser = SGD([weight], lr=0.1, momentum=0.9)
    scheduler = make(optimiser, **options)
    seen = []
    for _ in range(HORIZON):
        group = optimiser.param_groups[0]
        seen.append((group["lr"], group["momentum"]))
        weight.square().sum().backward()
        optimiser.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last step of a cycle may lie beyond its end
            if len(seen) < HORIZON:
                scheduler.step()
    return torch.tensor(seen, dtype=torch.float64)


def cycled(cycle_momentum: bool = True) -> Tensor:
    return stepped(
        lr_scheduler.OneCycleLR,
        max_lr=0.1,
        total_steps=HORIZON,
        pct_start=0.35,
        div_factor=20.0,
        final_div_factor=1e3,
        cycle_momentum=cycle_momentum,
        base_momentum=0.8,
        max_momentum=0.93,
    )


CASES = [
    pytest.param(oracles.onecycle(EPOCHS), cycled, id="onecycle"),
    pytest.param(
        oracles.onecycle(EPOCHS, cycle_momentum=False), lambda: cycled(False), id="fixed momentum"
    ),
    pytest.param(
        Cosine(name="cosine", epochs=EPOCHS, eta_min=0.003),
        lambda: stepped(lr_scheduler.CosineAnnealingLR, T_max=HORIZON, eta_min=0.003),
        id="cosine",
    ),
]


@pytest.mark.parametrize(("schedule", "torchs"), CASES)
def test_rates_are_torchs_own(schedule: OneCycle | Cosine, torchs: object) -> None:
    found = rates(oracles.optimisation(schedule), STEPS, 0, EPOCHS)
    assert torch.equal(found, torchs())  # type: ignore[operator]


@pytest.mark.parametrize(("schedule", "torchs"), CASES)
@pytest.mark.parametrize(("first", "last"), [(0, 2), (2, 3), (3, 5), (4, 5)])
def test_a_later_segment_has_its_part_of_the_whole(
    schedule: OneCycle | Cosine, torchs: object, first: int, last: int
) -> None:
    found = rates(oracles.optimisation(schedule), STEPS, first, last)
    assert torch.equal(found, torchs()[first * STEPS : last * STEPS])  # type: ignore[operator]


@pytest.mark.parametrize(("schedule", "torchs"), CASES)
@pytest.mark.parametrize("first", [3, 5, 6])
def test_past_the_horizon_the_last_rate_stays(
    schedule: OneCycle | Cosine, torchs: object, first: int
) -> None:
    found = rates(oracles.optimisation(schedule), STEPS, first, 8)
    known = torchs()  # type: ignore[operator]
    expected = torch.cat([known, known[-1:].expand(3 * STEPS, 2)])[first * STEPS :]
    assert torch.equal(found, expected)


def test_the_cosine_follows_its_formula() -> None:
    schedule = Cosine(name="cosine", epochs=EPOCHS, eta_min=0.003)
    found = rates(oracles.optimisation(schedule), STEPS, 0, EPOCHS)[:, 0]
    angle = math.pi * torch.arange(HORIZON, dtype=torch.float64) / HORIZON
    expected = 0.003 + (0.1 - 0.003) * (1 + angle.cos()) / 2
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)  # torch's is a recursion


def test_the_cycle_starts_peaks_and_ends_where_it_says() -> None:
    found = rates(oracles.optimisation(oracles.onecycle(EPOCHS)), STEPS, 0, EPOCHS)
    peak = int(found[:, 0].argmax())
    assert found[0].tolist() == pytest.approx([0.1 / 20, 0.93], rel=1e-12)
    assert found[peak].tolist() == pytest.approx([0.1, 0.8], rel=1e-2)  # steps straddle the peak
    assert found[-1].tolist() == pytest.approx([0.1 / 20 / 1e3, 0.93], rel=1e-9)
    assert peak == round(0.35 * HORIZON - 1)


def test_a_constant_rate_stays() -> None:
    found = rates(oracles.optimisation(Constant(name="constant")), STEPS, 2, 9)
    assert found.shape == (7 * STEPS, 2)
    assert set(map(tuple, found.tolist())) == {(0.1, 0.9)}


def test_no_epochs_have_no_rates() -> None:
    assert rates(oracles.optimisation(oracles.onecycle(EPOCHS)), STEPS, 3, 3).shape == (0, 2)


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay"])
def test_an_unset_rate_is_refused(name: str) -> None:
    optimiser = oracles.sgd().model_copy(update={name: None})
    with pytest.raises(ValueError, match="optimiser: got no learning rate or weight decay"):
        rates(oracles.optimisation(Constant(name="constant"), optimiser=optimiser), STEPS, 0, 1)


def test_an_optimiser_that_searches_for_its_steps_has_no_rates() -> None:
    optimiser = Lbfgs(
        name="lbfgs", learning_rate=1.0, history=3, tolerance_grad=0.0, tolerance_change=0.0
    )
    how = Optimisation(optimiser=optimiser, schedule=Constant(name="constant"), batch_size="full")
    with pytest.raises(ValueError, match="optimiser: got lbfgs, allowed is one that has a"):
        rates(how, STEPS, 0, 1)
