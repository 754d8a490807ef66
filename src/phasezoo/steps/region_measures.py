"""What is measured with one data set as the target, on the axes of its variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.models.build import build
from phasezoo.models.flat import load_weights
from phasezoo.spec.region_jobs import MeasureRegionsJob
from phasezoo.store import schema
from phasezoo.store.tuned import Tuned
from phasezoo.store.variables.regions import ON_TARGET
from phasezoo.training.evaluate import evaluate
from phasezoo.transfer.regions.centroid import ARMS, Efficiently, tunings
from phasezoo.transfer.regions.groups import GROUPS, groups
from phasezoo.transfer.regions.levels import LEVELS
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.paths import along, alphas, lines
from phasezoo.transfer.regions.probes import Probed, probed
from phasezoo.transfer.regions.shares import few_shot


@dataclass(frozen=True)
class Target:
    """What a measurement is made with.

    Attributes:
        job: what is measured.
        task: the target, with all its training samples.
        models: the tuned models, as bodies.
        device: where to compute.
    """

    job: MeasureRegionsJob
    task: Task
    models: Models
    device: torch.device

    def names(self, *purpose: str) -> tuple[str, ...]:
        """Names of a generator."""
        return (self.job.regions, self.job.target, *purpose)

    def probe(self, bodies: Tensor) -> Probed:
        """What bodies [M, D] are worth with new heads."""
        how, task = self.job.probe, self.task
        if how.samples is not None and how.samples < len(task.train_labels):
            task = few_shot(task, how.samples, *self.names("probe"))
        start = self.models.start
        return probed(start, bodies, task, how.penalty, how.iterations, self.device)


def empty(job: MeasureRegionsJob, members: int) -> xr.Dataset:
    """The variables of `ON_TARGET` with nothing in them.

    Args:
        job: what is measured.
        members: of the largest group.
    """
    efficient = job.efficient
    names = {
        "dataset": [job.target],
        "level": LEVELS,
        "group": GROUPS,
        "arm": ARMS,
        "trained": efficient.trained,
        "samples": [str(samples) for samples in efficient.samples],
    }
    numbers = {
        "seed": job.all_seeds,
        "member": range(members),
        "line": range(job.lines.pairs),
        "draw": efficient.seeds,
    }
    out = xr.Dataset(coords={name: np.array(of, dtype=object) for name, of in names.items()})
    out = out.assign_coords({name: np.array(of, dtype=np.int32) for name, of in numbers.items()})
    out = out.assign_coords(alpha=alphas(job.lines.points, job.lines.outward))
    for variable in ON_TARGET:
        shape = tuple(out.sizes[dim] for dim in variable.dims)
        values = np.full(shape, schema.missing_value(variable), dtype=variable.dtype)
        out[variable.name] = (variable.dims, values)
    return out


def measure_own(out: xr.Dataset, target: Target, tuned: Sequence[Tuned]) -> None:
    """Test loss and error of the models that were tuned to the target, which have a head for it."""
    task = target.task
    module = build(target.job.tuned, task.shape, task.classes).to(target.device)
    for model in tuned:
        if model.dataset == target.job.target and model.weights.finite:
            load_weights(module, model.weights)
            score = evaluate(module, task.test_inputs, task.test_labels, task.objective)
            at = {"dataset": model.dataset, "seed": model.seed}
            out["tuned_test_loss"].loc[at] = score.loss
            out["tuned_test_error"].loc[at] = score.error


Bodies = Mapping[tuple[str, str], Tensor]


def all_groups(target: Target) -> Bodies:
    """The bodies of every group, by level and group."""
    job = target.job
    return {
        (level, group): bodies
        for level in LEVELS
        for group, bodies in groups(
            target.models, job.target, level, job.groups.most, job.regions
        ).items()
    }


def measure_groups(out: xr.Dataset, target: Target, found: Bodies) -> None:
    """Losses of the members of every group, and of the pre-trained network, with new heads."""
    start = target.probe(target.models.start.body[None].double())
    out["start_probe_loss"][:] = start.loss
    out["start_probe_error"][:] = start.error
    # a tuned model is in several groups, and is judged once
    distinct, places = torch.unique(torch.cat(list(found.values())), dim=0, return_inverse=True)
    probes, sizes = target.probe(distinct), [len(bodies) for bodies in found.values()]
    for (level, group), of in zip(found, places.split(sizes), strict=True):
        at = {"dataset": target.job.target, "level": level, "group": group}
        at_members = at | {"member": np.arange(len(of))}
        out["probe_loss"].loc[at_members] = probes.loss[of]
        out["probe_error"].loc[at_members] = probes.error[of]
        out["probe_converged"].loc[at_members] = probes.converged[of]


def measure_lines(out: xr.Dataset, target: Target) -> None:
    """Losses along straight lines through pairs of models of every level."""
    job, at = target.job, out["alpha"].values.copy()  # which xarray keeps from being written
    for level in LEVELS:
        chosen = lines(target.models, job.target, level, job.lines.pairs, job.regions)
        for place, line in enumerate(chosen):
            where = {"dataset": job.target, "level": level, "line": place}
            out["line_length"].loc[where] = line.length
            out["line_probe_loss"].loc[where] = target.probe(along(target.models, line, at)).loss


def measure_efficient(out: xr.Dataset, target: Target) -> None:
    """Test scores after few parameters were tuned, from every starting point."""
    job, options = target.job, target.job.efficient
    draws = [target.names("efficient", f"seed={seed}") for seed in options.seeds]
    for trained, samples in product(options.trained, options.samples):
        how = Efficiently(
            epochs=options.epochs,
            optimisation=options.optimisation,
            trained=trained,
            samples=None if samples == "all" else samples,
            scales=options.scales,
            held_out=options.held_out,
            penalty=job.probe.penalty,
        )
        found = tunings(target.models, target.task, draws, how, job.domain_of, target.device)
        where = {"dataset": job.target, "trained": trained, "samples": str(samples)}
        out["efficient_test_loss"].loc[where] = found.loss
        out["efficient_test_error"].loc[where] = found.error
        out["chosen_scale"].loc[where] = found.scale
