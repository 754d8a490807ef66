"""Training many models of one architecture: together where that is faster, else in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from phasezoo.models.flat import load_weights
from phasezoo.training.checkpoint import Checkpoint, with_last_state
from phasezoo.training.choice import Choice, choose, together
from phasezoo.training.fit import free_bytes
from phasezoo.training.member import Member, alike
from phasezoo.training.progress import Progress, Report, silent
from phasezoo.training.train import train

Finished = tuple[int, list[Checkpoint]]  # position of a member, what was asked for of it


@dataclass(frozen=True)
class Trained:
    """What became of a population.

    Attributes:
        checkpoints: of every member, those asked for; the last one only has a state to go on from.
        choices: how each group of members of one kind was trained.
    """

    checkpoints: list[list[Checkpoint]]
    choices: list[Choice]


def train_population(
    module: nn.Module,
    members: Sequence[Member],
    epochs: tuple[int, ...],
    report: Report = silent,
    memory: int | None = None,
) -> Trained:
    """Train models of one architecture from their origins, as `training.train` trains each.

    Members of one kind (`training.member.kind_of`) are trained as one program where the spec says
    so (`stack`) or where a few steps on copies show that it is clearly faster. What becomes of a
    member depends on what it is trained with by no more than rounding; one after the other on the
    CPU, it is what `training.train` makes of it, to the bit.

    Args:
        module: the architecture, on the device; its weights are lost.
        members: the models, in any order.
        epochs: checkpoints, increasing; those before the origin of a member are not returned.
        report: is given lines on the way: what was chosen, then losses and speed.
        memory: bytes to stay in; None: most of what the device has free.

    Raises:
        ValueError: a batch size, learning rate or weight decay is not set.
        StackError: the spec wants more models together than fit into memory.
    """
    choices, coming = population(module, members, epochs, report, memory)
    found = dict(coming)
    return Trained([found[position] for position in range(len(members))], choices)


def population(
    module: nn.Module,
    members: Sequence[Member],
    epochs: tuple[int, ...],
    report: Report = silent,
    memory: int | None = None,
) -> tuple[list[Choice], Iterator[Finished]]:
    """The same as it comes: what was chosen, then positions of members with their checkpoints.

    For those who put away what is finished before the next models are trained.
    """
    if any(member.optimisation.batch_size is None for member in members):
        raise ValueError("batch_size: got None, allowed is a whole number greater than 0")
    device = next(module.parameters()).device
    memory = free_bytes(device) if memory is None else memory
    groups = alike(members)
    chosen = [choose(module, [members[i] for i in group], epochs[-1], memory) for group in groups]
    for choice in chosen:
        report(str(choice))
    progress = Progress(members, epochs[-1], report)
    stacks = [
        group[start : start + choice.together]
        for group, choice in zip(groups, chosen, strict=True)
        for start in range(0, len(group), choice.together)
    ]
    return chosen, _finished(module, members, stacks, epochs, progress)


def _finished(
    module: nn.Module,
    members: Sequence[Member],
    stacks: Sequence[Sequence[int]],
    epochs: tuple[int, ...],
    progress: Progress,
) -> Iterator[Finished]:
    on_cpu = next(module.parameters()).device.type == "cpu"
    for stack in stacks:
        way = _plain if on_cpu and len(stack) == 1 else _stacked
        here = [members[position] for position in stack]
        yield from zip(stack, way(module, here, epochs, progress), strict=True)


def _plain(
    module: nn.Module, members: Sequence[Member], epochs: tuple[int, ...], progress: Progress
) -> list[list[Checkpoint]]:
    (member,) = members

    def tell(epoch: int, loss: float) -> None:
        progress.told(members, epoch - 1, epoch, [loss])

    load_weights(module, member.origin.weights)
    how, origin = member.optimisation, member.origin
    run = train(module, member.task, how, member.names, origin, epochs, tell, member.seen)
    return [with_last_state(run)]


def _stacked(
    module: nn.Module, members: Sequence[Member], epochs: tuple[int, ...], progress: Progress
) -> list[list[Checkpoint]]:
    origin, last = members[0].origin.epoch, epochs[-1]
    run, every = together(module, members, last), progress.every(origin)
    found = [[member.origin] if origin in epochs else [] for member in members]
    before = origin
    for epoch in range(origin + 1, last + 1):
        if epoch % every and epoch not in epochs:
            continue
        losses = run.run(epoch - before)
        if any(run.alive):
            progress.told(members, before, epoch, losses.tolist())
        before = epoch
        if epoch in epochs:
            for row, kept in enumerate(found):
                found[row] = with_last_state([*kept, run.checkpoint(row, epoch)])
    return found
