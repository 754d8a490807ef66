"""What a captured step needs is so on the CPU: fixed buffers, and nothing that waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest
import torch

import oracles
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import AdamW, Augmentation, Constant
from phasezoo.training.capture import Replays, restore
from phasezoo.training.member import Member
from phasezoo.training.stacked import Stacked
from phasezoo.training.train import start

RESNET = spec.SmallResNet(name="small-resnet", stages=2, width=3)
TASK = replace(oracles.blobs(shape=(1, 7, 7)), black=torch.tensor([-1.0]))
ADAMW = AdamW(
    name="adamw", learning_rate=0.01, momentum=0.9, second_moment=0.99, epsilon=1e-8,
    weight_decay=0.01,
)  # fmt: skip


def run(models: int, device: str = "cpu") -> Stacked:
    how = oracles.optimisation(Constant(name="constant"), optimiser=ADAMW)
    how = how.model_copy(update={"augmentation": Augmentation(crop=1, flip=True)})
    moved = {
        name: getattr(TASK, name).to(device) for name in ("train_inputs", "train_labels", "black")
    }
    members = []
    for seed in range(models):
        module = build(RESNET, TASK.shape, TASK.classes)
        initialise(module, rng.generator("capture", seed))
        members.append(
            Member(("capture", str(seed)), replace(TASK, **moved), how, start(module, 2))
        )
    return Stacked(build(RESNET, TASK.shape, TASK.classes).to(device), members, 3)


@pytest.mark.parametrize("models", [1, 3])
def test_steps_write_into_the_same_buffers(models: int) -> None:
    """A graph knows addresses: a tensor that is replaced would be lost to it."""
    made = run(models)
    held = [*made.stack.state, made.losses, made.taken, made.seen, made.table]
    held += [t for t in (made.feed.order, made.feed.plans) if t is not None]
    before = [tensor.data_ptr() for tensor in held]
    values = [tensor.detach().clone() for tensor in held]
    made.run(2)
    after = [*made.stack.state, made.losses, made.taken, made.seen, made.table]
    after += [t for t in (made.feed.order, made.feed.plans) if t is not None]
    assert [tensor.data_ptr() for tensor in after] == before
    assert all(not torch.equal(a, b) for a, b in zip(after, values, strict=True))


def test_a_step_taken_back_leaves_no_trace() -> None:
    """As a capture warms up: `restore` brings back all that a step writes."""
    made, other = run(3), run(3)
    made.begin(1)
    state = [*made.stack.state, made.losses, made.taken, made.seen]
    kept = [tensor.detach().clone() for tensor in state]
    for _ in range(3):
        made.step(11)
        restore(state, kept)
    made.run(2)
    other.run(2)
    for a, b in zip(made.stack.state, other.stack.state, strict=True):
        assert torch.equal(a, b)


def test_on_the_cpu_a_step_is_run_as_it_is() -> None:
    def step() -> None:
        return None

    assert Replays([torch.zeros(1)]).of(step) is step


class Graph:
    """A stand-in for a CUDA graph: what is recorded leaves no trace, what is replayed is run."""

    def __init__(self, run: Stacked) -> None:
        self.run = run

    @contextmanager
    def recording(self, fails: bool) -> Iterator[None]:
        state = self.run._replays._state
        kept = [tensor.detach().clone() for tensor in state]
        yield
        restore(state, kept)
        if fails:
            raise RuntimeError("not permitted\nwhile a stream is captured")

    def replay(self) -> None:
        self.run._step(11 if self.run.seen.item() % 53 < 44 else 9)


@pytest.mark.parametrize("fails", [False, True])
def test_a_capture_warms_up_and_leaves_the_state_as_it_was(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls of a capture, with a stand-in for the GPU; one that fails runs the step itself."""
    made, other = run(3), run(3)
    graph = Graph(made)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: Stream())
    monkeypatch.setattr(torch.cuda, "Stream", lambda: Stream())
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda found, pool: found.recording(fails))
    monkeypatch.setattr(made._replays, "of", made._replays._captured)
    with pytest.warns(UserWarning, match="uncaptured: not permitted$") if fails else nullcontext():
        made.run(2)
    other.run(2)
    for a, b in zip(made.stack.state, other.stack.state, strict=True):
        assert torch.equal(a, b)


class Stream:
    """Of a stand-in for a GPU."""

    def wait_stream(self, other: Stream) -> None:
        """Nothing to wait for."""


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("models", [1, 3])
def test_a_replayed_graph_is_the_steps_it_was_made_of(models: int) -> None:
    captured, plain = run(models, "cuda"), run(models, "cuda")
    plain._steps = {size: (lambda n=size: plain._step(n)) for size in set(plain.feed.batches)}
    captured.run(3)
    plain.run(3)
    for a, b in zip(captured.stack.state, plain.stack.state, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
