"""The commands of `phasezoo`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread per job, read when numpy is imported

import typer

from phasezoo.cli.steps import steps
from phasezoo.vocabulary import PhasezooError

app = typer.Typer(
    help="Phase-labelled model zoos.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(steps, name="step", hidden=True, help="What the rules call.")

Params = Annotated[Path, typer.Option("--params", help="The spec.")]
DEFAULT = Path("params.yaml")


@app.command()
def zoos(params: Params = DEFAULT) -> None:
    """List the declared zoos: grid, models, data and whether the data need a download."""
    from phasezoo.cli.show import zoo_table
    from phasezoo.spec import read_study

    zoo_table(read_study(params))


@app.command()
def summary(params: Params = DEFAULT) -> None:
    """Say what the study made, which phases were found, and what to open."""
    from phasezoo.cli.show import study_summary
    from phasezoo.spec import read_study

    study_summary(read_study(params))


@app.command()
def verify(
    manifests: Annotated[list[Path] | None, typer.Argument(help="Manifests; all if none.")] = None,
) -> None:
    """Recompute manifests and say which stores are missing or altered."""
    from phasezoo.store.manifest import ManifestError, all_manifests
    from phasezoo.store.manifest import verify as check

    chosen = manifests or all_manifests(Path())
    if not chosen:
        raise PhasezooError("verify: no manifests here; allowed is the folder of a study")
    bad = 0
    for manifest in chosen:
        try:
            check(manifest)
        except ManifestError as problem:
            bad += 1
            typer.echo(str(problem))
    typer.echo(f"{len(chosen) - bad} of {len(chosen)} stores are as their manifests say")
    raise typer.Exit(int(bad > 0))


@app.command()
def schema() -> None:
    """Print the table of stored variables."""
    from phasezoo.store.schema import table

    typer.echo(table())


def run() -> None:
    """Run the command line; what a user can mend is said in one line, without a traceback."""
    try:
        app()
    except PhasezooError as problem:
        typer.echo(str(problem), err=True)
        sys.exit(1)
