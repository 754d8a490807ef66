"""Where every artefact lies: one name for each, with Snakemake's wildcards in it.

Paths carry labels, never positions, so that a grid grows without moving what is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from phasezoo.vocabulary import Hyperparameter, Number

FOLDERS = ("data", "runs", "imported", "measured", "results", "zoos")

DATA = "data/{dataset}.zarr"
DATA_MANIFEST = "data/{dataset}.json"
# load and temperature: of one cell, or the labels of shares whose cells one job trains
WEIGHTS = "runs/{zoo}/{load}/{temperature}/{block}/{segment}.zarr"
WEIGHTS_MANIFEST = "runs/{zoo}/{load}/{temperature}/{block}/{segment}.json"
IMPORTED = "imported/{zoo}/{load}/{temperature}/{block}/{segment}.zarr"
IMPORTED_MANIFEST = "imported/{zoo}/{load}/{temperature}/{block}/{segment}.json"
MEASURED = "measured/{zoo}/{loads}/{temperatures}/{blocks}/{epoch}/{family}.nc"
RESULT = "results/{zoo}/{group}.nc"
METRICS = "results/{zoo}/metrics.nc"
MERGING = "results/{zoo}/merging.nc"
TRANSFER = "results/{zoo}/transfer.nc"
LEARNING = "results/{zoo}/learning.nc"
EXPLAINED = "results/{zoo}/explained.nc"
PHASES = "results/{zoo}/phases.nc"
COVERAGE = "results/{zoo}/phases.json"
ZOO = "zoos/{zoo}.zarr"
ZOO_MANIFEST = "zoos/{zoo}.json"
REPORT = "results/report/index.html"
PHASE_MAP = "results/report/{zoo}.png"


def measured(family: str) -> str:
    """Path of the measurements of one family, with the other wildcards left open."""
    return MEASURED.replace("{family}", family)


def checksum(file: str) -> str:
    """Path of the checksum beside a file."""
    return f"{file}.sha256"


def provenance(manifest: str) -> str:
    """Path of what is told beside a manifest of how its store was made."""
    return manifest.removesuffix(".json") + ".provenance.json"


def beside(artefacts: Iterable[str]) -> list[str]:
    """What a reader of some artefacts reads with them: the store of a manifest, or the checksum."""
    return [
        path.removesuffix(".json") + ".zarr" if path.endswith(".json") else checksum(path)
        for path in artefacts
    ]


def root_of(path: Path, form: str) -> Path:
    """The folder of the study that a path of some form lies in.

    It is not always the working directory: Snakemake's storage plugins have a folder of their own.
    """
    return path.parents[form.count("/")]


def log(step: str, *wildcards: str) -> str:
    """Path of the log of one job of a rule; `wildcards` are the rule's."""
    return "/".join(["logs", step, *(f"{{{name}}}" for name in wildcards)]) + ".log"


def benchmark(step: str, *wildcards: str) -> str:
    """Path of the time and memory that one job of a rule took."""
    return log(step, *wildcards).removesuffix(".log") + ".tsv"


def share_label(meaning: Hyperparameter, values: tuple[Number, ...]) -> str:
    """A share of an axis as it stands in paths: ``8+16+32``."""
    return "+".join(meaning.label(value) for value in values)


def holds_cell(manifest: Path, load: str, temperature: str) -> bool:
    """Whether the manifest of weights is that of a cell, or of shares that it is in."""
    loads, temperatures = manifest.parts[-4:-2]
    return load in loads.split("+") and temperature in temperatures.split("+")


def inside(store: Path, load: str, temperature: str) -> Path:
    """Where in the store of weights a cell lies: all of it, or a group of a store of several."""
    return store if store.parts[-4:-2] == (load, temperature) else store / load / temperature


def numbers_label(numbers: tuple[int, ...]) -> str:
    """Seeds of a block or epochs of a segment as they stand in paths: ``0+1+2``."""
    return "+".join(str(number) for number in numbers)


def blocks_label(*blocks: tuple[int, ...]) -> str:
    """One block, or two that are compared, as they stand in paths: ``0+1+2x3+4+5``."""
    return "x".join(map(numbers_label, blocks))


def parse_blocks(label: str) -> tuple[tuple[int, ...], ...]:
    """Inverse of `blocks_label`."""
    return tuple(parse_numbers(block) for block in label.split("x"))


def parse_numbers(label: str) -> tuple[int, ...]:
    """Inverse of `numbers_label`."""
    return tuple(int(number) for number in label.split("+"))
