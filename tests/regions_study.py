"""A region study as small as one can be that has everything in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

NAME, ZOO = "asked", "digits-mlp"
DIGITS = {"source": "digits", "recipe": 1, "train": 211, "split_seed": 0}
STEPS = {
    "optimiser": {
        "name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0,
        "nesterov": False,
    },
    "schedule": {"name": "constant"},
    "batch_size": 53,
}  # fmt: skip
REGIONS: dict[str, Any] = {
    "title": "Perceptrons asked questions",
    "recipe": 1,
    "references": ["arXiv:2302.04863"],
    "licence": "CC BY 4.0",
    "start": {"zoo": ZOO, "load": 7, "temperature": 53, "seed": 1, "epoch": 2},
    "other_start": {"zoo": ZOO, "load": 7, "temperature": 53, "seed": 0, "epoch": 2},
    "families": {"parity": ["parity-0", "parity-90"], "size": ["size-0", "size-90"]},
    "domains": {"upright": ["parity-0", "size-0"], "turned": ["parity-90", "size-90"]},
    "seeds": [[0, 1]],
    "tuning": {"epochs": 2, "optimisation": STEPS},
    "probe": {"penalty": 0.01},
    "groups": {"most": 5},
    "lines": {"pairs": 2, "points": 3, "outward": [1.0, 31.0]},
    "efficient": {
        "epochs": 1, "optimisation": STEPS, "trained": ["biases", "head"],
        "samples": ["all", 31], "seeds": [0, 1], "scales": [0.5, 1.0],
    },
    "doubt": {"resamples": 100, "permutations": 100},
}  # fmt: skip


def given() -> dict[str, Any]:
    """The spec of a study with it, free of shared parts."""
    path = Path(__file__).parent / "workflow/tiny.yaml"
    zoo = yaml.safe_load(path.read_text(encoding="utf-8"))["zoos"]["tiny"]
    del zoo["merging"], zoo["transfer"], zoo["metrics"]["hessian"]
    zoo |= {
        "load": {"hyperparameter": "width", "values": [3, 7]},
        "temperature": {"hyperparameter": "batch_size", "values": [[53, 101]]},
    }
    zoo["training"] |= {"checkpoints": [[0, 1], [2]], "together": ["temperature"]}
    data = {
        f"{question}-{degrees}": DIGITS | {"question": question, "rotation": degrees}
        for question in ("parity", "size")
        for degrees in (0, 90)
    }
    study = {
        "run": [NAME],
        "data": {"digits": DIGITS, **data},
        "zoos": {ZOO: zoo},
        "regions": {NAME: REGIONS},
    }
    return json.loads(json.dumps(study))
