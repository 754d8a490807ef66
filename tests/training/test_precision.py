"""What a precision rounds is rounded on the way back too, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn

from phasezoo.training import slopes, train
from phasezoo.training.precision import casting, rounding
from training.test_population import MLP, TASK, how, member, population, sgd

CPU, GPU = torch.device("cpu"), torch.device("cuda")  # a name; no GPU is asked


def flags() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.fixture(params=[(False, True), (True, False)])
def torch_set_to(request: pytest.FixtureRequest) -> Iterator[tuple[bool, bool]]:
    before = flags()
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    matmul.allow_tf32, cudnn.allow_tf32 = request.param
    yield request.param
    matmul.allow_tf32, cudnn.allow_tf32 = before


@pytest.mark.parametrize(
    ("precision", "rounds"), [("float32", False), ("tf32", True), ("bf16", False)]
)
def test_only_tf32_rounds_whatever_torch_is_set_to(
    precision: Any, rounds: bool, torch_set_to: tuple[bool, bool]
) -> None:
    with rounding(precision, GPU):
        assert flags() == (rounds, rounds)
    assert flags() == torch_set_to
    with rounding(precision, CPU):
        assert flags() == torch_set_to


def test_settings_come_back_after_an_error(torch_set_to: tuple[bool, bool]) -> None:
    with pytest.raises(KeyError), rounding("tf32", GPU):
        raise KeyError
    assert flags() == torch_set_to


@pytest.mark.parametrize("stack", ["one", 3])
def test_the_backward_pass_is_inside(stack: str | int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thirds of the products of a step are there."""
    inside: list[str] = []
    seen: list[list[str]] = []

    @contextmanager
    def noted(precision: str, device: torch.device) -> Iterator[None]:
        inside.append(precision)
        yield
        inside.pop()

    backward, grad = torch.Tensor.backward, torch.autograd.grad
    monkeypatch.setattr(train, "rounding", noted)
    monkeypatch.setattr(slopes, "rounding", noted)
    monkeypatch.setattr(
        torch.Tensor, "backward", lambda *a, **k: (seen.append([*inside]), backward(*a, **k))[1]
    )
    monkeypatch.setattr(
        torch.autograd, "grad", lambda *a, **k: (seen.append([*inside]), grad(*a, **k))[1]
    )
    given = how(sgd(0.02, 0.0), precision="tf32", stack=stack)
    population(MLP, [member(MLP, TASK, seed, given) for seed in range(3)], (1,), torch.float32)
    assert seen
    assert all(state == ["tf32"] for state in seen)


def test_bf16_casts_and_the_others_do_not() -> None:
    layer, given = nn.Linear(3, 2), torch.randn(5, 3)
    for precision, dtype in (("float32", None), ("tf32", None), ("bf16", torch.bfloat16)):
        with casting(precision, CPU):  # type: ignore[arg-type]
            assert layer(given).dtype == (dtype or torch.float32)
