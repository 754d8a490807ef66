"""What the command line says, and with which exit status."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cli.calling import Call, Said
from phasezoo.cli.app import app
from phasezoo.cli.mishaps import explain
from phasezoo.store.schema import table
from phasezoo.store.variables import VARIABLES
from steps.tiny import MLP, RESNET, STUDY, Tiny

PARAMS = Path(__file__).parents[1] / "steps/study.yaml"
STEPS = [
    "data",
    "train",
    "evaluate",
    "hessian",
    "connectivity",
    "similarity",
    "merging",
    "transfer",
    "collect",
    "phases",
    "publish",
    "report",
    "spectra",
    "noise",
    "learning_coefficient",
    "statistics",
    "learning",
    "explained",
    "new_task",
    "robustness",
    "pruning",
    "ensembling",
    "tune_regions",
    "measure_regions",
    "collect_regions",
]


def process(*arguments: str, cwd: Path | None = None) -> Said:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "phasezoo", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def _broken(**changes: object) -> str:
    return yaml.safe_dump({**STUDY, **changes})


@pytest.mark.parametrize("command", ["zoos", "summary"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_broken(run=["small-mpl"]), "run: got 'small-mpl'; allowed: the declared zoos small-mlp"),
        (_broken(zoo={}), "zoo: got {}; allowed: one of the keys run, data, zoos"),
        ("- a\n- b", r"the file: got ['a', 'b']; allowed: a mapping"),
        ("a: [", "the file: got while parsing"),
        (None, "the file: got No such file or directory; allowed: a file that can be read"),
    ],
    ids=["value", "key", "list", "yaml", "nothing"],
)
def test_wrong_params_are_one_line_and_no_traceback(
    call: Call, tmp_path: Path, command: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "params.yaml").write_text(text)
    done = call(command, cwd=tmp_path)
    assert done.status == 1
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith(f"params.yaml: {said}")


def test_a_study_that_was_not_made_has_no_summary_and_says_so(call: Call, tmp_path: Path) -> None:
    shutil.copy(PARAMS, tmp_path / "params.yaml")
    done = call("summary", cwd=tmp_path)
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert "zoos/small-mlp.json: not a manifest" in line


def test_the_summary_counts_models_phases_and_diverged_cells(call: Call, tiny: Tiny) -> None:
    done = call("summary", "--params", str(PARAMS), cwd=tiny.root)
    assert done.status == 0, done.err
    assert f"{MLP}: phases at epoch 3" in done.out
    assert f"made: zoos/{RESNET}.zarr (8 models, " in done.out
    of_resnet = done.out.split(f"{RESNET}: phases")[1]
    assert "; missing 2, near a border (*) " in of_resnet
    assert (tiny.root / "results/report/index.html").as_uri() in done.out


def test_verify_passes_what_is_as_it_was_made(call: Call, tiny: Tiny) -> None:
    found = call("verify", MLP, "--params", str(PARAMS), cwd=tiny.root)
    # data sets, cells in two segments, measurements, three joined, labels and coverage, what is
    # told from weights, what phases explain, the zoo
    count = 2 + 2 * 2 * 2 + 2 * (2 + 10) + 3 + 2 + 1 + 1 + 1
    counts = "0 missing, 0 altered, 0 leftover, 0 orphaned"
    assert found == Said(0, f"{count} artefacts checked: {counts}\n", "")


def test_verify_names_what_is_bad_and_mends_it(call: Call, tiny: Tiny, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(tiny.root, study)
    (study / "data/turned.zarr/zarr.json").write_text("{}")
    (study / f"results/{MLP}/merging.nc").unlink()
    (study / "zoos/other.json").write_text("{}")
    options = ("verify", "--params", str(PARAMS))
    found = call(*options, cwd=study)
    assert found.status == 1
    assert "altered: data/turned.json: data/turned.zarr: altered; got" in found.out
    assert f"missing: results/{MLP}/merging.nc\n" in found.out
    assert "orphaned: zoos/other.json: not declared" in found.out
    assert "phasezoo verify --mend" in found.out
    told = json.loads(call(*options, "--json", cwd=study).out)
    states = {(f["state"], f["path"]) for f in told["findings"]}
    assert ("altered", "data/turned.json") in states
    mended = call(*options, "--mend", cwd=study)
    assert mended.status == 0
    assert "removed: data/turned.zarr\n" in mended.out
    assert not (study / "data/turned.json").exists()
    assert (study / "zoos/other.json").exists()


def test_verify_of_an_unknown_zoo_names_the_known(call: Call, tiny: Tiny) -> None:
    found = call("verify", "none", "--params", str(PARAMS), cwd=tiny.root)
    assert (found.status, found.out) == (1, "")
    assert found.err == f"zoo: got none, allowed are {MLP}, {RESNET}\n"


def test_status_counts_what_is_made(call: Call, tiny: Tiny, tmp_path: Path) -> None:
    said = call("status", "--params", str(PARAMS), cwd=tiny.root)
    assert said.status == 0
    assert "8 of 8" in said.out
    row = json.loads(call("status", "--json", "--params", str(PARAMS), cwd=tmp_path).out)[0]
    assert (row["blocks"], row["trained"], row["published"]) == (8, 0, False)


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        ImportError("libx.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_want_of_memory_is_told(problem: Exception) -> None:
    assert (explain(problem) or "").startswith("out of memory: the job needs more")


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    assert explain(RuntimeError("shape")) is None
    assert explain(FileNotFoundError(2, "No such file", "x")) is None


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(28, "No space left on device", "runs/a"), "runs/a: cannot be used: No space left"),
        (OSError(30, "Read-only", "runs"), "runs: cannot be used: Read-only file system; the fol"),
    ],
)
def test_what_goes_wrong_outside_is_one_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, problem: Exception, said: str
) -> None:
    def fails() -> str:
        raise problem

    monkeypatch.setattr("phasezoo.store.schema.table", fails)
    found = call("schema")
    assert found.status == 1
    assert found.err.startswith(said)
    assert found.err.count("\n") == 1


def test_schema_prints_the_table() -> None:
    done = CliRunner().invoke(app, ["schema"])
    assert done.exit_code == 0
    assert done.stdout == table() + "\n"
    assert all(f"| `{name}` |" in done.stdout for name in VARIABLES)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["zoos"],
        ["summary"],
        ["verify"],
        ["status"],
        ["adopt"],
        ["schema"],
        *(["step", name] for name in STEPS),
    ],
    ids=" ".join,
)
def test_every_command_has_help(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, [*arguments, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_every_step_has_a_command() -> None:
    done = CliRunner().invoke(app, ["step", "--help"])
    found = re.findall(r"^│ ([a-z_]+) ", done.stdout, re.MULTILINE)
    assert sorted(found) == sorted(STEPS)


def test_wrong_params_in_a_process_of_its_own_leave_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(_broken(run=["small-mpl"]))
    done = process("zoos", cwd=tmp_path)
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_an_unknown_command_is_refused() -> None:
    done = CliRunner().invoke(app, ["trian"])
    assert done.exit_code == 2
    assert "No such command 'trian'" in done.output


def test_a_step_called_as_a_rule_calls_it_gives_the_same_bytes(tiny: Tiny, tmp_path: Path) -> None:
    path = f"measured/{MLP}/7/13+31/0+1/3/similarity.nc"
    job, weights = tiny.job(path)
    output = tmp_path / "similarity.nc"
    done = process(
        "step", "similarity",
        "--job", job.model_dump_json(),
        "--data", str(tiny.root / "data/digits.json"),
        "--output", str(output),
        *map(str, weights),
    )  # fmt: skip
    assert done.status == 0, done.err
    assert done.out == ""  # progress goes to the log
    assert "similarity small-mlp width=7" in done.err
    assert output.read_bytes() == (tiny.root / path).read_bytes()


def test_what_a_step_cannot_use_is_one_line(tiny: Tiny, tmp_path: Path) -> None:
    path = f"measured/{MLP}/7/13+31/0+1/3/similarity.nc"
    job, weights = tiny.job(path)
    done = process(
        "step", "similarity",
        "--job", job.model_dump_json(),
        "--data", str(tmp_path / "none.json"),
        "--output", str(tmp_path / "a.nc"),
        *map(str, weights),
    )  # fmt: skip
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert "none.json: not a manifest" in line


def test_listing_zoos_does_not_wait_for_torch() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from phasezoo.cli.app import app\n"
        "done = CliRunner().invoke(app, ['schema'])\n"
        "assert done.exit_code == 0, done\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
