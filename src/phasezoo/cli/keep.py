"""Commands that keep a study whole: verify, status, adopt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phasezoo.cli.options import DEFAULT, Params
from phasezoo.vocabulary import PhasezooError

if TYPE_CHECKING:
    from phasezoo.plan import Plan

keep = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Say it as JSON.")]


@keep.command()
def verify(
    zoos: Annotated[
        list[str] | None,
        typer.Argument(help="Zoos and region studies; those of the run if none."),
    ] = None,
    as_json: Json = False,
    mend: Annotated[bool, typer.Option("--mend", help="Remove what is bad.")] = False,
    params: Params = DEFAULT,
) -> None:
    """Recompute every checksum; say what is missing, altered, or not declared."""
    from phasezoo.cli.show import audit_lines
    from phasezoo.plan import Plan
    from phasezoo.spec import read_study
    from phasezoo.store.audit import audit
    from phasezoo.store.audit import mend as remove

    plan = Plan(read_study(params))
    chosen = _known(plan, zoos)
    declared = plan.artefacts(chosen, report=not zoos)
    known = plan.artefacts(plan.declared, report=True)
    found = audit(Path(), declared, known, plan.folders(zoos))
    removed = remove(Path(), found) if mend else []
    if as_json:
        said = {"checked": found.checked, "removed": removed}
        listed = [{"state": f.state, "path": f.path, "detail": f.detail} for f in found.findings]
        typer.echo(json.dumps({**said, "findings": listed}, indent=1))
    else:
        typer.echo("\n".join(audit_lines(found, removed)))
    raise typer.Exit(int(bool(found.lasting if mend else found.bad)))


@keep.command()
def status(as_json: Json = False, params: Params = DEFAULT) -> None:
    """Say of all that is declared what is made, how large it is, and whether with this recipe."""
    from phasezoo.cli.show import status_table
    from phasezoo.cli.status import region_status, zoo_status
    from phasezoo.plan import Plan
    from phasezoo.spec import read_study

    plan = Plan(read_study(params))
    rows = [zoo_status(plan, name, Path()) for name in plan.zoos]
    rows += [region_status(plan, name, Path()) for name in plan.study.regions]
    if as_json:
        typer.echo(json.dumps([row.as_json() for row in rows], indent=1))
    else:
        status_table(rows)


@keep.command()
def adopt(
    other: Annotated[Path, typer.Argument(help="Folder of another clone of this study.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what.")] = False,
    params: Params = DEFAULT,
) -> None:
    """Take over what another clone has made and this one declares and lacks."""
    from phasezoo.plan import Plan
    from phasezoo.spec import read_study
    from phasezoo.store.adopt import adopt as take
    from phasezoo.store.adopt import compare

    plan = Plan(read_study(params))
    found = compare(Path(), other, plan)
    if found.conflicts:
        lines = "\n".join(found.conflicts)
        raise PhasezooError(f"adopt: nothing was copied, because these differ:\n{lines}")
    if not dry_run:
        take(Path(), other, found)
    typer.echo(
        f"{'would adopt' if dry_run else 'adopted'} {len(found.new)} artefacts from {other}; "
        f"{found.same} are the same here; `snakemake -n` says what is left to make"
    )


def _known(plan: Plan, zoos: list[str] | None) -> list[str]:
    """The zoos asked for, or those of the run."""
    for name in zoos or []:
        if name not in plan.declared:
            raise PhasezooError(f"zoo: got {name}, allowed are {', '.join(plan.declared)}")
    return zoos or list(plan.study.run)
