"""What the command line says of the declared zoos."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from typer.testing import CliRunner

from phasezoo.cli.app import app
from phasezoo.cli.zoos import cost_table
from phasezoo.spec import Study, read_study, study_from
from steps.tiny import MLP, RESNET, STUDY

REPOSITORY = Path(__file__).parents[2]
DECLARED = REPOSITORY / "params.yaml"


def listed(study: Path) -> dict[str, list[str]]:
    """Cells of the table by zoo."""
    done = CliRunner().invoke(app, ["zoos", "--params", str(study)])
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 160
    rows = (re.split(r" {2,}", line.strip()) for line in done.stdout.splitlines())
    return {row[0]: row[1:] for row in rows if len(row) == 8}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump({**STUDY, **changes}))
    return path


def test_zoos_are_listed_with_grid_models_parameters_and_data(tmp_path: Path) -> None:
    found = listed(written(tmp_path))
    mlp = [w * 64 + w + w * w + w + w * 10 + 10 for w in (3, 7)]
    assert found[f"{MLP} *"] == [
        "mlp", "width 3 7", "batch size 13 31", "2", "8", f"{mlp[0]} to {mlp[1]}", "digits",
    ]  # fmt: skip
    assert found[f"{RESNET} *"][:3] == [
        "small-resnet", "width 2 3", "learning rate 0.1 100000000000",
    ]  # fmt: skip


def test_a_zoo_outside_of_the_run_has_no_star(tmp_path: Path) -> None:
    assert {f"{MLP} *", RESNET} <= set(listed(written(tmp_path, run=[MLP])))


def test_the_zoos_of_the_paper_are_a_line_each_and_have_its_parameters() -> None:
    found = listed(DECLARED)
    assert found["cifar10-resnet18"] == [
        "resnet-18", "width 2 to 256 (8)", "batch size 8 to 1024 (8)", "3", "192",
        "11,420 to 178,585,866", "cifar10 *",
    ]  # fmt: skip
    assert found["openwebtext-gpt2"][5] == "4,450,104 to 882,927,360"


def test_parameters_that_the_load_leaves_alone_are_one_number() -> None:
    done = CliRunner().invoke(app, ["zoos", "--params", str(DECLARED)])
    (line,) = re.findall(r"^ convection-pinn .*$", done.stdout, re.MULTILINE)
    assert "  7,851  " in line


def archived(study: dict) -> tuple[dict, dict]:
    """Data and zoos of the study with an archive from the web, whose images nobody has seen."""
    brought = {"source": "npz", "recipe": 1, "train": 100, "split_seed": 0}
    brought |= {"url": "https://example.org/set.npz", "sha256": "0" * 64}
    zoo = {**study["zoos"][MLP], "dataset": "brought"}
    return {**study["data"], "brought": brought}, {**study["zoos"], MLP: zoo}


def test_parameters_of_an_archive_that_is_not_here_are_a_question_mark(tmp_path: Path) -> None:
    data, zoos = archived(STUDY)
    found = listed(written(tmp_path, data=data, zoos=zoos))
    assert found[f"{MLP} *"][5:] == ["?", "brought *"]
    (line,) = [
        row for row in costs(study_from({**STUDY, "data": data, "zoos": zoos})) if MLP in row
    ]
    assert line == [MLP, "?", "8", "32", line[4], "?", "?"]


def test_an_architecture_that_does_not_take_the_images_names_its_zoo(tmp_path: Path) -> None:
    vgg = {"name": "vgg-11", "norm": "none"}
    zoos = {**STUDY["zoos"], MLP: {**STUDY["zoos"][MLP], "architecture": vgg}}
    path = written(tmp_path, zoos=zoos)
    command = [sys.executable, "-m", "phasezoo", "zoos", "--params", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"zoos.{MLP}: vgg: got inputs [1, 8, 8], allowed are images")


def costs(study: Study) -> list[list[str]]:
    lines = cost_table(study).splitlines()[2:]
    return [re.split(r" *\| *", line.strip("| ")) for line in lines]


def test_costs_are_a_row_per_zoo_and_their_sum() -> None:
    rows = costs(read_study(DECLARED))
    assert [row[0] for row in rows] == [*read_study(DECLARED).zoos, "all"]
    assert rows[-1][2] == f"{sum(int(row[2]) for row in rows[:-1]):,}"
    (resnet,) = [row for row in rows if row[0] == "cifar10-resnet18"]
    # 11 checkpoints and a momentum for each of the two segments; statistics of 20 norms
    assert resnet[1:4] == ["11,420 to 178,585,866", "192", "2,112"]
    assert resnet[6] == "297 GB"


def test_one_unit_follows_the_other() -> None:
    sizes = {row[6].split()[1] for row in costs(read_study(DECLARED))}
    assert sizes == {"kB", "MB", "GB", "TB"}


def test_the_command_prints_the_costs() -> None:
    done = CliRunner().invoke(app, ["zoos", "--cost", "--params", str(DECLARED)])
    assert done.stdout == cost_table(read_study(DECLARED)) + "\n"


DOCUMENT = REPOSITORY / "docs/zoos.md"


def test_the_document_has_what_the_command_prints() -> None:
    """But for parameters and weights of `pydoc`, which differ between releases of Python."""
    study = read_study(DECLARED)
    of_python = {n for n, z in study.zoos.items() if study.data[z.dataset].source == "pydoc"}

    def lasting(lines: list[str]) -> list[list[str]]:
        rows = [re.split(r" *\| *", line.strip("| ")) for line in lines]
        return [row[2:6] if row[0] in of_python else row for row in rows]

    printed = cost_table(study).splitlines()
    documented = DOCUMENT.read_text("utf-8").splitlines()
    start = documented.index(printed[0])
    assert lasting(documented[start : start + len(printed)]) == lasting(printed)


def test_the_document_has_the_grid_of_every_zoo() -> None:
    grids = DOCUMENT.read_text("utf-8").split("## Grids")[1].split("\n## ")[0]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in grids.splitlines() if "`" in line]
    zoos, above = read_study(DECLARED).zoos, ["", ""]
    documented = {name for row in rows for name in re.findall(r"`(.*?)`", row[0])}
    assert documented == set(zoos)
    for names, *axes, seeds, epochs, labelled in rows:
        above = [b if a == "the same" else a for a, b in zip(axes, above, strict=True)]
        for name in re.findall(r"`(.*?)`", names):
            zoo = zoos[name]
            values = [[float(v) for v in re.findall(r"\d[\de.-]*", axis)] for axis in above]
            assert values == [list(zoo.load.all_values), list(zoo.temperature.all_values)]
            assert int(seeds) == len(zoo.all_seeds)
            assert int(epochs.replace(",", "")) == zoo.training.saved_epochs[-1]
            assert int(labelled.replace(",", "")) == zoo.metrics.similarity.epochs[-1]
