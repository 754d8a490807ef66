"""Commands that bring in what was made elsewhere: import, import-table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phasezoo.cli.options import DEFAULT, Params
from phasezoo.vocabulary import PhasezooError, Status

if TYPE_CHECKING:
    from phasezoo.store.imports import Survey

bring = typer.Typer()

TABLE = "models.csv"


@bring.command(name="import")
def import_models(
    zoo: Annotated[str, typer.Argument(help="A declared zoo with imported blocks.")],
    folder: Annotated[Path, typer.Argument(help="Where the state dicts lie.")],
    table: Annotated[
        Path | None, typer.Option(help=f"Which file is which model; {TABLE} in FOLDER if none.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace blocks that are there and differ.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only check and say.")] = False,
    params: Params = DEFAULT,
) -> None:
    """Bring models trained elsewhere into the imported blocks of a zoo."""
    from phasezoo.spec import read_study
    from phasezoo.store.imports import bring as write
    from phasezoo.store.imports import survey

    study = read_study(params)
    if zoo not in study.zoos:
        raise PhasezooError(f"zoo: got {zoo}, allowed are {', '.join(study.zoos)}")
    if not folder.is_dir():
        raise PhasezooError(f"{folder}: not there, allowed is a folder of state dicts")
    found = survey(Path(), zoo, study, folder, table or folder / TABLE)
    typer.echo("\n".join(_lines(found)))
    if dry_run:
        typer.echo(f"would import {len(found.new)} blocks, replace {len(found.other)}")
    else:
        typer.echo(f"imported {write(found, replace)} blocks; {found.same} were there already")


@bring.command(name="import-table")
def import_table(
    table: Annotated[Path, typer.Argument(help="A published summary table (CSV).")],
    output: Annotated[Path, typer.Option(help="The NetCDF file to write.")],
    temperature: Annotated[
        str, typer.Option(help="The hyperparameter that realises the temperature.")
    ] = "batch_size",
    pick: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=VALUE: which of several zoos or trials in the table; repeatable."
        ),
    ] = None,
) -> None:
    """Turn a published summary table into a file of metrics."""
    from phasezoo.store.summary_tables import read_summary_table, write_summary_table

    data = read_summary_table(table, temperature, _picks(pick or []))
    write_summary_table(data, output)
    sizes = ", ".join(f"{size} values of {axis}" for axis, size in data.sizes.items())
    missing = int((data["status"] == Status.NEVER_TRAINED).sum())
    typer.echo(f"wrote {output}: {sizes}; {missing} checkpoints of this grid are missing")
    if notes := data.attrs.get("notes"):
        typer.echo(notes)


def _picks(texts: list[str]) -> dict[str, list[str]]:
    """Values to pick, by column."""
    picks: dict[str, list[str]] = {}
    for text in texts:
        column, equals, value = text.partition("=")
        if not equals or not column or not value:
            raise PhasezooError(f"--pick: got {text}, allowed is COLUMN=VALUE, such as wd=0.05")
        picks.setdefault(column, []).append(value)
    return picks


def _lines(found: Survey) -> list[str]:
    """What a survey found, counted."""
    trained, diverged, missing = (
        found.counts[status] for status in (Status.TRAINED, Status.DIVERGED, Status.NEVER_TRAINED)
    )
    lines = [
        f"{found.models} of {found.declared} declared models have files: "
        f"{trained + diverged} checkpoints, {diverged} of them diverged",
        f"{missing} declared checkpoints have no file, and are stored as missing",
    ]
    for kind, files in sorted(Counter(found.converted.values()).items()):
        lines.append(f"{files} files hold {kind}, converted to float32")
    if found.ignored:
        lines.append(f"columns ignored: {', '.join(found.ignored)}")
    return lines
