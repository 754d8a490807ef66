"""The commands of `phasezoo`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread per job, read when numpy is imported

import typer

from phasezoo.cli.bring import bring
from phasezoo.cli.keep import keep
from phasezoo.cli.mishaps import OUT_OF_MEMORY, explain
from phasezoo.cli.options import DEFAULT, Params
from phasezoo.cli.steps import steps
from phasezoo.vocabulary import PhasezooError

app = typer.Typer(
    help="Phase-labelled model zoos.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(steps, name="step", hidden=True, help="What the rules call.")
app.add_typer(keep)
app.add_typer(bring)


@app.command()
def zoos(
    cost: Annotated[bool, typer.Option("--cost", help="Jobs, files and bytes of each.")] = False,
    params: Params = DEFAULT,
) -> None:
    """List the declared zoos: grid, models, parameters and data; or what it takes to make them."""
    from phasezoo.cli.zoos import cost_table, region_cost_table, zoo_table
    from phasezoo.spec import read_study

    study = read_study(params)
    if cost:
        typer.echo(cost_table(study))
        if study.regions:
            typer.echo(f"\n{region_cost_table(study)}")
    else:
        zoo_table(study)


@app.command()
def summary(params: Params = DEFAULT) -> None:
    """Say what the study made, which phases were found, and what to open."""
    from phasezoo.cli.show import study_summary
    from phasezoo.spec import read_study

    study_summary(read_study(params))


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
    except Exception as problem:
        said = explain(problem)
        if said is None:
            raise
        typer.echo(said, err=True)
        if said.startswith(OUT_OF_MEMORY):  # what libraries do at the end may want memory too
            sys.stderr.flush()
            os._exit(1)
        sys.exit(1)
