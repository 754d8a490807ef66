"""Results that look like those of a real zoo, without training one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from phasezoo.phases.border import sensitivity
from phasezoo.phases.classify import classify_phases
from phasezoo.phases.coverage import coverage
from phasezoo.report.labelling import Labelling
from phasezoo.report.results import ZooResults
from phasezoo.spec.phases import Criteria, PhaseCriteria, RegimeCriteria
from phasezoo.store import measurements, schema
from phasezoo.vocabulary import (
    EPOCH,
    HYPERPARAMETERS,
    LOAD,
    TEMPERATURE,
    Phase,
    Status,
    compared,
)

CRITERIA = PhaseCriteria(
    seeds="mean", train_loss=0.1, mode_connectivity=0.015, cka=0.85, resamples=40
)
REGIMES = RegimeCriteria(seeds="mean", train_loss=0.1, test_error=0.035, resamples=40)
FACTORS = (0.5, 2.0)
EQUATION = {  # a load and a temperature that grow with their values, errors beyond 100 %
    "name": "convection-pinn",
    "kind": "points",
    "widths": (1, 5, 10, 20, 30),
    "batch_sizes": (3e-4, 1e-3, 3e-3, 1e-2),
    "criteria": REGIMES,
}
NAMES = {"images": ("width", "batch_size"), "points": ("beta", "learning_rate")}
MIDDLE = {"width": 12.0, "batch_size": 64.0, "beta": 12.0, "learning_rate": 2e-3}
ARCHITECTURES = {
    "images": {"name": "mlp", "hidden_layers": 2, "width": None},
    "points": {"name": "pinn", "hidden_layers": 4, "width": 50},
}
SMALL = {"widths": (8, 32), "batch_sizes": (16, 64, 256)}


def mock(
    name: str = "digits-mlp",
    widths: tuple[int, ...] = (4, 8, 16, 32, 64, 128),
    batch_sizes: tuple[float, ...] = (8, 16, 32, 64, 128, 256, 512),
    blocks: tuple[tuple[int, ...], ...] = ((0, 1, 2),),
    epochs: tuple[int, ...] = (0, 10, 30, 60),
    criteria: Criteria = CRITERIA,
    kind: str = "images",
) -> ZooResults:
    """Results whose phases lie as in the papers: I top left, IV right.

    For points of an equation the loads are coefficients, the temperatures learning rates.
    """
    coordinates = measurements.grid(
        widths, batch_sizes, blocks, epochs, compared(tuple(blocks), "within")
    )
    groups = {g: _group(coordinates, g, kind) for g in ("metrics", "merging", "transfer")}
    metrics = groups["metrics"]
    shown = metrics.sel({EPOCH: [epochs[-1]]})
    phases = classify_phases(shown, criteria)
    described = schema.described(phases, *NAMES[kind])
    return ZooResults(
        name=name,
        title="Multilayer perceptrons on handwritten digits",
        **groups,
        phases=described,
        labelling=labelling_of(described, criteria),
        manifest={
            "schema": 1,
            "tree": {"sha256": "0123456789abcdef" * 4, "files": 211, "bytes": 48_123_456},
            "spec": {
                "name": name,
                "zoo": _spec(kind, widths, batch_sizes, blocks, epochs, criteria),
            },
        },
        provenance={
            "started": "2026-01-01T00:00:00+00:00",
            "seconds": 12.5,
            "versions": {"python": "3.12.0", "torch": "2.13.0"},
            "machine": {"system": "Linux", "processor": "x86_64"},
        },
    )


def labelling_of(labels: xr.Dataset, criteria: Criteria) -> Labelling:
    """What the step that labels cells tells of them, after a journey through JSON."""
    epochs = {}
    for epoch in labels[EPOCH].values:
        one = labels.sel({EPOCH: epoch})
        epochs[str(epoch)] = coverage(one, criteria) | {"sensitivity": sensitivity(one, FACTORS)}
    notes = labels.attrs["notes"]
    told = {
        "criteria": criteria.model_dump(),
        "thresholds": json.loads(labels.attrs["thresholds"]),
        "notes": notes.split("\n") if notes else [],
        "epochs": epochs,
    }
    return Labelling.of(json.loads(json.dumps(told, sort_keys=True)))


def emptied(results: ZooResults, group: str, *names: str) -> ZooResults:
    """The results with some variables missing everywhere."""
    data: xr.Dataset = getattr(results, group)
    return replace(results, **{group: data.assign({n: data[n] * np.nan for n in names})})


def relabelled(results: ZooResults, phase: Phase) -> ZooResults:
    """The results with every cell in one phase."""
    labels = xr.full_like(results.phases["phase"], int(phase))
    return remade(results, phase=labels)


def remade(results: ZooResults, **variables: object) -> ZooResults:
    """The results with some variables of their labels replaced, and counted anew."""
    phases = results.phases.copy()
    for name, values in variables.items():
        phases[name] = xr.full_like(phases[name], 0) + values  # type: ignore[operator]
    labelling = labelling_of(phases, results.labelling.criteria)
    return replace(results, phases=phases, labelling=labelling)


def _group(coordinates: xr.Dataset, group: str, kind: str) -> xr.Dataset:
    rng = np.random.default_rng(7)
    out = coordinates
    for variable in schema.VARIABLES.values():
        # families with axes of their own are those that a zoo may leave out
        if variable.group == group and set(variable.dims) <= set(coordinates.sizes):
            shape = tuple(coordinates.sizes[d] for d in variable.dims)
            values = _values(variable.name, coordinates, shape, rng, kind)
            out = out.assign({variable.name: (variable.dims, values.astype(variable.dtype))})
    if group == "metrics":
        out["train_error"][0, 0, :] = np.nan
        out["test_error"][0, 0, :] = np.nan
        out["status"][0, 0, :] = Status.NEVER_TRAINED
        out["status"][0, -1, 0, -1] = Status.DIVERGED
    return schema.described(out, *NAMES[kind])


def _values(
    name: str, coordinates: xr.Dataset, shape: tuple[int, ...], rng: np.random.Generator, kind: str
) -> np.ndarray:
    grown = [
        HYPERPARAMETERS[name].grows * np.log2(coordinates[axis].values / MIDDLE[name])
        for axis, name in zip((LOAD, TEMPERATURE), NAMES[kind], strict=True)
    ]
    size, heat = -grown[0][:, None, None, None], grown[1][None, :, None, None]
    progress = np.linspace(0, 1, coordinates.sizes[EPOCH])
    noise = rng.normal(size=shape) * 0.15
    effort = size - 0.35 * np.abs(heat) * (heat > 0) + noise
    loss = 10 ** (-0.9 * effort - 1.2) + 2 * (1 - progress)
    error = np.clip(0.03 + 0.12 * loss, 0, 0.9) if kind == "images" else 0.01 + loss
    barrier = -0.05 * np.clip(0.8 - 0.6 * size - 0.3 * heat, 0, None) + 0.002 * noise
    barrier = barrier + 0.04 * np.clip(heat - 2.2, 0, None)
    match name:
        case "status":
            return np.full(shape, Status.TRAINED)
        case _ if name.endswith("_converged"):
            return np.ones(shape)
        case "train_loss" | "test_loss":
            return loss
        case "mode_connectivity" | "mode_connectivity_test" | "mode_connectivity_loss":
            return barrier + 0 * progress
        case "cka":
            return np.clip(0.82 + 0.03 * heat + 0.015 * size + 0.01 * noise, 0.3, 1)
        case "hessian_trace" | "hessian_top_eigenvalue":
            return 10 ** (2.5 - 0.5 * effort - 0.3 * heat) - (40 if "trace" in name else 2)
        case "l2_distance":
            return 10 + 4 * (size + 2) + noise
        case "barrier_naive" | "linear_barrier" | "error_barrier_naive":
            return np.abs(1.2 - 0.2 * size + noise)
        case "barrier_aligned" | "error_barrier_aligned":
            return np.abs(0.7 - 0.25 * size + noise)
        case "midpoint_error_naive" | "seed_average_error_naive":
            return error + 0.3 + 0.1 * noise
        case "midpoint_error_aligned" | "seed_average_error_aligned":
            return error + np.clip(0.15 - 0.05 * size, 0, None) + 0.05 * noise
        case "transfer_gain":
            return 0.04 * size + 0.02 * noise
        case _:
            return error


def _spec(
    kind: str,
    widths: tuple[int, ...],
    batch_sizes: tuple[float, ...],
    blocks: tuple[tuple[int, ...], ...],
    epochs: tuple[int, ...],
    criteria: Criteria,
) -> dict[str, Any]:
    """The parts of a zoo's spec that a reader looks for, as JSON hands them over."""
    return {
        "title": "Multilayer perceptrons on handwritten digits",
        "recipe": 1,
        "references": ["arXiv:2504.18072"],
        "licence": "CC BY 4.0",
        "architecture": ARCHITECTURES[kind],
        "dataset": "digits",
        "load": {"hyperparameter": NAMES[kind][0], "values": [[w] for w in widths]},
        "temperature": {"hyperparameter": NAMES[kind][1], "values": [list(batch_sizes)]},
        "seeds": [list(block) for block in blocks],
        "training": {
            "optimiser": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
            "checkpoints": [list(epochs)],
        },
        "transfer": {"dataset": "digits-rotated", "fine_tune_epochs": 30},
        "phases": criteria.model_dump(mode="json"),
    }
