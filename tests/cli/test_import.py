"""`phasezoo import` and `phasezoo import-table`, alone and in the real workflow."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from cli.calling import Call, Said
from phasezoo.models.mlp import MLP
from phasezoo.store import measurements
from phasezoo.store.whole import checksum_of
from phasezoo.store.zoo import load_model, open_zoo
from workflow.project import Project

TINY = Path(__file__).parents[1] / "workflow/tiny.yaml"
SHAPE, CLASSES, WIDTH = (1, 8, 8), 10, 3
CELLS = [(batch, seed) for batch in (20, 50) for seed in (2, 3)]


@pytest.fixture(scope="module")
def params() -> dict:
    """The tiny study with one load, and with a block of seeds that is not trained."""
    given = deepcopy(yaml.safe_load(TINY.read_text()))
    zoo = given["zoos"]["tiny"]
    zoo["load"]["values"] = [WIDTH]
    zoo |= {"seeds": [[0, 1], [2, 3]], "imported": [[2, 3]], "pairs": "all"}
    zoo["merging"] = zoo["transfer"] = zoo["metrics"]["hessian"] = None
    return given


def trained(number: int) -> nn.Module:
    torch.manual_seed(number)
    module = MLP(SHAPE, CLASSES, WIDTH, 1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def write(folder: Path) -> None:
    """State dicts of the last epoch, and their table."""
    folder.mkdir()
    rows = ["file,width,batch_size,seed,epoch"]
    for number, (batch, seed) in enumerate(CELLS):
        torch.save(trained(number).state_dict(), folder / f"{number}.pt")
        rows.append(f"{number}.pt,{WIDTH},{batch},{seed},2")
    (folder / "models.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def project(tmp_path: Path, params: dict) -> Project:
    made = Project.create(tmp_path / "study", params)
    write(made.root / "foreign")
    return made


def test_it_counts_what_it_finds_and_a_dry_run_writes_nothing(project: Project, call: Call) -> None:
    table = project.root / "foreign/models.csv"
    table.write_text(table.read_text().replace("epoch\n", "epoch,x\n").replace(",2\n", ",2,\n"))
    torch.save(trained(0).double().state_dict(), project.root / "foreign/0.pt")
    done = call("import", "tiny", "foreign", "--dry-run", cwd=project.root)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "4 of 4 declared models have files: 4 checkpoints, 0 of them diverged",
        "8 declared checkpoints have no file, and are stored as missing",
        "1 files hold float64, converted to float32",
        "columns ignored: x",
        "would import 2 blocks, replace 0",
    ]
    assert not (project.root / "imported").exists()


def test_what_differs_is_replaced_only_with_the_option(project: Project, call: Call) -> None:
    bring = ("import", "tiny", "foreign")
    assert call(*bring, cwd=project.root).status == 0
    torch.save(trained(9).state_dict(), project.root / "foreign/0.pt")
    done = call(*bring, cwd=project.root)
    assert done.status == 1
    assert done.err.splitlines() == [
        "import: nothing was written, because these are there and differ; --replace puts the new "
        "ones in their place:",
        "imported/tiny/3/20/2+3/0+1+2.json: seed 2, epoch 2: other weights",
    ]
    done = call(*bring, "--replace", cwd=project.root)
    assert done.out.splitlines()[-1] == "imported 1 blocks; 1 were there already"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["other", "foreign"], "zoo: got other, allowed are tiny"),
        (["tiny", "nowhere"], "nowhere: not there, allowed is a folder of state dicts"),
        (["tiny", "foreign", "--table", "a.csv"], "a.csv: cannot be read (No such file or"),
        (["tiny", "foreign", "--params", "p.yaml"], "p.yaml: the file: got No such file"),
    ],
)
def test_what_is_not_there_is_one_line(
    project: Project, call: Call, arguments: list[str], said: str
) -> None:
    done = call("import", *arguments, cwd=project.root)
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert line.startswith(said)


def test_a_summary_table_becomes_a_file_of_metrics(project: Project, call: Call) -> None:
    def table(name: str, output: str, *options: str) -> Said:
        return call("import-table", name, "--output", output, *options, cwd=project.root)

    (project.root / "summary.csv").write_text(
        "width,batchsize,seed,epoch,train_loss,test_acc\n2,8,0,1,0.5,0.75\n4,8,0,1,0.25,0.5\n"
        "4,16,0,1,,\n"
    )
    assert table("summary.csv", "metrics.nc").out == (
        "wrote metrics.nc: 2 values of load, 2 values of temperature, 1 values of seed, "
        "1 values of epoch; 1 checkpoints of this grid are missing\n"
    )
    output = project.root / "metrics.nc"
    assert checksum_of(output).exists()
    found = measurements.read(output).sel(temperature=8, seed=0, epoch=1)
    assert list(found["test_error"].values) == [0.25, 0.5]
    (project.root / "two.csv").write_text(
        "width,batchsize,seed,epoch,wd,train_loss\n2,8,0,1,0.05,1\n2,8,0,1,0.1,2\n2,8,0,1,0.1,2\n"
    )
    two = ("two.csv", "two.nc")
    assert "pick wd=0.05 (1 models) or wd=0.1 (1 models)" in table(*two).err
    done = table(*two, "--pick", "wd=0.1")
    assert done.out.splitlines()[1].startswith("1 rows repeat another one")
    assert measurements.read(project.root / "two.nc")["train_loss"].item() == 2
    assert "--pick: got wd, allowed is COLUMN=VALUE" in table(*two, "--pick", "wd").err
    done = table("params.yaml", "other.nc")
    assert done.status == 1
    assert "Traceback" not in done.err
    assert not (project.root / "other.nc").exists()


@pytest.mark.workflow
def test_imported_models_go_through_the_workflow_to_the_zoo(project: Project) -> None:
    refused = project.run("snakemake", "--dry-run")
    assert refused.returncode != 0
    assert "bring them with `phasezoo import tiny`" in refused.stdout + refused.stderr
    done = project.run("phasezoo", "import", "tiny", "foreign")
    assert done.stdout.splitlines()[-1] == "imported 2 blocks; 0 were there already"
    project.make("datasets")
    planned = project.planned()
    assert planned["train"] == 2  # the other block, at two temperatures
    project.make()
    assert project.planned() == Counter()

    zoo = open_zoo(project.root / "zoos/tiny.zarr")
    for number, (batch, seed) in enumerate(CELLS):
        model = load_model(zoo, width=WIDTH, batch_size=batch, seed=seed, epoch=2)
        for found, expected in zip(model.parameters(), trained(number).parameters(), strict=True):
            assert torch.equal(found, expected)
    assert zoo.metrics["l2_distance"].sel(epoch=2).notnull().all()
    assert zoo.metrics.sizes["pair"] == 6

    done = project.run("phasezoo", "import", "tiny", "foreign")
    assert done.stdout.splitlines()[-1] == "imported 0 blocks; 2 were there already"
    assert project.planned() == Counter()
    assert project.run("phasezoo", "verify").returncode == 0

    torch.save(trained(9).state_dict(), project.root / "foreign/0.pt")
    project.run("phasezoo", "import", "tiny", "foreign", "--replace")
    again = project.planned()
    assert (again["train"], again["evaluate"], again["publish"]) == (0, 1, 1)
