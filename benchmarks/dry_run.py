"""How long Snakemake takes to plan studies of the size of the paper's, and to find nothing to do.

    python benchmarks/dry_run.py             # the tables of benchmarks/README.md
    python benchmarks/dry_run.py --declared  # only that of the zoos of params.yaml
    python benchmarks/dry_run.py --profile   # and where the time of the largest goes

First the twelve zoos of arXiv 2504.18072 as params.yaml declares them; then studies that have as
many cells, seeds and annotated epochs and every family, in shares of either kind. The jobs of the
finished study are done by a stand-in that only touches files.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
WORKFLOW = ("Snakefile", "rules", "profiles", "envs")
DRY_RUN = ("snakemake", "--dry-run", "--quiet", "rules")
RUNS = 3
FINISHED = 4  # zoos, about 5,000 jobs
STAND_IN = """#!/bin/sh
# python -m phasezoo step NAME --job JSON ... --output PATH ...
step=$4
coverage= output= pictures=
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2; shift ;;
    --coverage) coverage=$2; shift ;;
    *.png) pictures="$pictures $1" ;;
  esac
  shift
done
case $step in
  data|train|publish)
    mkdir -p "${output%.json}.zarr"
    echo made > "${output%.json}.provenance.json" ;;
  *) for path in $output $pictures; do echo made > "$path.sha256"; done ;;
esac
for path in $output $coverage $pictures; do echo made > "$path"; done
"""


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        declared(root)
        if "--declared" in sys.argv:
            return
        print("| study | models | jobs | seconds, median of 3 (least to most) | memory, MB |")
        print("|---|---|---|---|---|")
        for name, zoos, shared in (
            ("one zoo, a job per row of cells", 1, True),
            ("one zoo, a job per cell", 1, False),
            ("twelve zoos, a job per row of cells", 12, True),
            ("twelve zoos, a job per cell", 12, False),
        ):
            project = create(root / name.replace(" ", "-"), study(zoos, shared))
            report(name, project, models(zoos))
            if name.endswith("row of cells") and zoos == 12 and "--profile" in sys.argv:
                profile(project)
        finished(root)


def declared(root: Path) -> None:
    """Plan each of the twelve zoos of params.yaml, then all of them at once; one run each."""
    given = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    twelve = [name for name, zoo in given["zoos"].items() if zoo["training"]["device"] == "gpu"]
    project = create(root / "declared", given)
    print("| target | jobs | seconds | memory, MB |")
    print("|---|---|---|---|")
    for label, names in (*((f"`{name}`", [name]) for name in twelve), ("all twelve", twelve)):
        targets = [f"zoos/{name}.json" for name in names]
        seconds, memory = timed(project, *targets)
        row = f"| {label} | {planned(project, *targets)} | {seconds:.1f} | {memory:.0f} |"
        print(row, flush=True)
    if "--profile" in sys.argv:
        profile(project, *targets)
    print()


def finished(root: Path) -> None:
    """Make a study of 5,000 jobs with the stand-in, then plan it again."""
    project = create(root / "finished", study(FINISHED, shared=False))
    tools = project / "tools"
    tools.mkdir()
    (tools / "python").write_text(STAND_IN)
    (tools / "python").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    jobs = planned(project)
    began = time.monotonic()
    snakemake(project, "--cores", "2", "--quiet", "all", environment={"PATH": path})
    print(f"\nmade {jobs} jobs with a stand-in in {time.monotonic() - began:.0f} s\n")
    said = snakemake(project, "--dry-run")
    assert "Nothing to be done" in said, said[-2000:]
    report("finished: nothing to be done", project, models(FINISHED), jobs)


def report(name: str, project: Path, count: int, jobs: int | None = None) -> None:
    """Time some dry runs and print one row."""
    jobs = planned(project) if jobs is None else jobs
    seconds, memory = zip(*(timed(project) for _ in range(RUNS)), strict=True)
    spread = f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
    print(f"| {name} | {count} | {jobs} | {spread} | {max(memory):.0f} |", flush=True)


def study(count: int, shared: bool) -> dict[str, Any]:
    """Params of the first `count` of the twelve zoos."""
    given = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    base = given["zoos"]["digits-mlp"]
    zoos = {}
    for name, widths, heats, seeds in GRIDS[:count]:
        zoo = yaml.safe_load(yaml.safe_dump(base))
        zoo["load"]["values"] = widths
        zoo["temperature"]["values"] = [heats] if shared else heats
        zoo["seeds"] = [list(range(seeds))]
        zoo["training"]["checkpoints"] = [[0, 10, 50, 100, 115, 135, 148, 149, 150]]
        zoo["training"]["together"] = ["temperature"] if shared else []
        zoo["metrics"]["evaluation"]["epochs"] = [0, 10, 50, 100, 115, 150]
        for family in ("hessian", "connectivity", "similarity", "spectra", "noise"):
            zoo["metrics"][family]["epochs"] = [115, 150]
        zoo["merging"] |= {"epochs": [150], "last_checkpoints": [148, 149, 150]}
        zoo["transfer"]["epochs"] = [150]
        zoos[name] = zoo
    return {"run": list(zoos), "data": given["data"], "zoos": zoos}


def _grids() -> list[tuple[str, list[int], list[int], int]]:
    """Name, loads, temperatures and seeds of the twelve zoos, 2,794 models in all."""
    powers = [2**k for k in range(1, 9)]
    batches = [8, 16, 32, 64, 128, 256, 512, 1024]
    tasks = ("svhn", "cifar10", "cifar100", "tiny")
    nets = [f"{net}-{task}" for net in ("resnet18", "resnet50") for task in tasks]
    found = [(name, powers, batches, 3) for name in nets]
    widths = [6, 12, 24, 48, 60, 96, 192]
    found += [(f"vit-{task}", widths, batches[:7], 3) for task in tasks[1:3]]
    found.append(("gpt2", [16 * k for k in range(1, 12)], batches, 3))
    found.append(("pinn", list(range(1, 11)), batches[:7], 10))
    return found


GRIDS = _grids()


def models(count: int) -> int:
    """Models of the first zoos."""
    return sum(len(widths) * len(heats) * seeds for _, widths, heats, seeds in GRIDS[:count])


def create(root: Path, params: dict[str, Any]) -> Path:
    """A folder with the workflow and a spec."""
    root.mkdir()
    for name in WORKFLOW:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return root


def snakemake(project: Path, *options: str, environment: dict[str, str] | None = None) -> str:
    """Run Snakemake in a folder; returns what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *options],
        cwd=project,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout + done.stderr


def planned(project: Path, *targets: str) -> int:
    """Jobs that a dry run announces."""
    lines = snakemake(project, *targets, *DRY_RUN[1:]).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("total")), 0)


def timed(project: Path, *targets: str) -> tuple[float, float]:
    """Seconds and megabytes of one dry run."""
    quiet = subprocess.DEVNULL
    began = time.monotonic()
    child = subprocess.Popen(dry_run(*targets), cwd=project, stdout=quiet, stderr=quiet)
    _, _, usage = os.wait4(child.pid, 0)
    return time.monotonic() - began, usage.ru_maxrss / 1024


def dry_run(*targets: str) -> list[str]:
    """The command; targets come first, because `--quiet` takes all words that follow it."""
    return [sys.executable, "-m", DRY_RUN[0], *targets, *DRY_RUN[1:]]


def profile(project: Path, *targets: str) -> None:
    """Print where the time of a dry run goes: in this package, and in all."""
    python, *code = dry_run(*targets)
    profiled = [python, "-m", "cProfile", "-s", "cumulative", *code]
    said = subprocess.run(profiled, cwd=project, capture_output=True, text=True, check=True).stdout
    print(said[said.index("function calls") :][:6000])


if __name__ == "__main__":
    main()
