"""How many models to train as one program: as the spec says, or as a short measurement finds."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import nn

from phasezoo.models.flat import load_weights
from phasezoo.spec.training import Lbfgs
from phasezoo.training.fit import bytes_of
from phasezoo.training.flat import FlatStepper
from phasezoo.training.member import Member
from phasezoo.training.searched import Searched
from phasezoo.training.stacked import Stacked
from phasezoo.training.train import Run, steps_per_epoch
from phasezoo.vocabulary import PhasezooError

# Models that are worth a measurement. A few seeds would gain on a processor too, but less than
# their weights are worth that are the same bytes on every run.
LEAST = {"cpu": 6, "cuda": 2}
CLEARLY = 1.25  # times faster, or the choice would be one of noise
_SHORT = 200  # steps; a training of fewer is over before it is measured
_TRIED, _STEPS, _ROUNDS = 3, 8, 3


class StackError(PhasezooError):
    """So many models cannot be trained together."""


@dataclass(frozen=True)
class Choice:
    """How many models are trained as one program, why, and what was measured.

    Attributes:
        models: that are trained by it.
        together: of them in one program; 1: one after the other.
        reason: in words.
        milliseconds: of a step, for each model, by how many are together.
    """

    models: int
    together: int
    reason: str
    milliseconds: dict[int, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line for the log."""
        way = "one after the other" if self.together == 1 else f"{self.together} together"
        found = ", ".join(f"{n}: {ms:.3f}" for n, ms in sorted(self.milliseconds.items()))
        measured = f"; ms a step and model, by models together: {found}" if found else ""
        return f"{self.models} models {way} ({self.reason}){measured}"


def choose(module: nn.Module, members: Sequence[Member], last: int, memory: int) -> Choice:
    """How to train members of one kind up to epoch `last` in so many bytes.

    Nothing of a measurement stays: it takes its steps on copies.

    Raises:
        StackError: more are to be together than fit into memory.
    """
    count, setting = len(members), members[0].optimisation.stack
    if setting == "one" or count == 1 or setting == 1:
        return Choice(count, 1, "as set" if setting != "measured" else "alone")
    fitting = memory // max(1, bytes_of(module, members[0]))
    if setting != "measured":
        return Choice(count, _fixed(setting, count, fitting, memory), "as set")
    reason = _not_measured(module, members, last, fitting)
    return Choice(count, 1, reason) if reason else _measured(module, members, last, fitting)


def _fixed(setting: int, count: int, fitting: int, memory: int) -> int:
    together = min(setting, count)
    if together > max(1, fitting):
        raise StackError(
            f"stack: got {setting}, allowed is at most {max(1, fitting)} of these models "
            f"in {memory / 2**30:.2f} GiB"
        )
    return together


def _not_measured(
    module: nn.Module, members: Sequence[Member], last: int, fitting: int
) -> str | None:
    """Why it is one after the other without a measurement; None where one is to be made."""
    device = next(module.parameters()).device.type
    first = members[0]
    samples, batch = first.samples, first.optimisation.batch_size
    of_epoch = 1 if batch in ("full", None) else steps_per_epoch(samples, int(batch))
    if min(len(members), fitting) < LEAST[device]:
        return f"fewer than {LEAST[device]} that fit are not measured"
    if (last - first.origin.epoch) * of_epoch < _SHORT:
        return "too few steps to measure"
    return None


def _measured(module: nn.Module, members: Sequence[Member], last: int, fitting: int) -> Choice:
    least = LEAST[next(module.parameters()).device.type]
    count, tried = len(members), [1]
    for halved in range(_TRIED):
        together = even(count, min(count, fitting) >> halved)
        if together >= least:
            tried.append(together)
    found = {n: milliseconds(module, members[:n], last) for n in dict.fromkeys(tried)}
    best = min(found, key=lambda n: found[n])
    if found[best] * CLEARLY > found[1]:
        best = 1
    return Choice(count, best, "measured", {n: round(ms, 4) for n, ms in found.items()})


def even(count: int, most: int) -> int:
    """The size of the fewest groups of about one size that have at most so many; 0 for none."""
    return -(-count // -(-count // most)) if most else 0


def milliseconds(module: nn.Module, members: Sequence[Member], last: int) -> float:
    """Of one step, for each of some members, by the fastest of a few short rounds."""
    device = next(module.parameters()).device
    alone = len(members) == 1 and device.type == "cpu"
    module = copy.deepcopy(module)
    take = _plain(module, members[0], last) if alone else _together(module, members, last)
    best = float("inf")
    for _ in range(1 + _ROUNDS):  # the first warms up, and captures
        synchronise(device)
        began = time.perf_counter()
        steps = take()
        synchronise(device)
        best = min(best, (time.perf_counter() - began) / steps)
    return best / len(members) * 1e3


def together(module: nn.Module, members: Sequence[Member], last: int) -> Stacked | Searched:
    """Members of one kind as one program, to be trained up to epoch `last`."""
    searches = isinstance(members[0].optimisation.optimiser, Lbfgs)
    return Searched(module, members) if searches else Stacked(module, members, last)


def _plain(module: nn.Module, member: Member, last: int) -> Callable[[], int]:
    load_weights(module, member.origin.weights).train()
    how, origin = member.optimisation, member.origin
    run = Run(module, member.task, how, member.names, origin, last, member.seen)
    epoch = member.origin.epoch + 1
    if isinstance(run.optimiser, FlatStepper):
        stepper = run.optimiser
        return lambda: len(list(islice(run.steps_of(stepper, epoch), _STEPS)))
    return lambda: len([run.epoch(epoch) for _ in range(_STEPS)])


def _together(module: nn.Module, members: Sequence[Member], last: int) -> Callable[[], int]:
    run = together(module, members, last)
    if isinstance(run, Searched):
        search = run
        return lambda: _STEPS * (search.run(_STEPS) is not None)
    stack, epochs = run, min(run.stretch, last - run.epoch)
    sizes = (run.feed.batches * epochs)[:_STEPS]
    run.begin(epochs)

    def take() -> int:
        stack.taken.zero_()
        stack.seen.zero_()
        for size in sizes:
            stack.step(size)
        return len(sizes)

    return take


def synchronise(device: torch.device) -> None:
    """Wait until a device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
