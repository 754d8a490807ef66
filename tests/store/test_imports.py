from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from phasezoo import paths
from phasezoo.inventory import wanting_imports
from phasezoo.plan import Plan
from phasezoo.spec import jobs, study_from
from phasezoo.steps.report import report
from phasezoo.store.csv_table import TableError
from phasezoo.store.imports import ImportsError, Survey, bring, survey
from phasezoo.store.manifest import ManifestError, provenance_of, read_manifest, store_of, verify
from phasezoo.store.weights import Block
from phasezoo.store.whole import digest, read_json
from phasezoo.store.zoo import load_model, open_zoo
from phasezoo.vocabulary import PhasezooError, Status
from phasezoo.weights_plan import zoo_weights
from steps.tiny import MLP, STUDY, Tiny

WIDTH, BATCHES, EPOCHS = 3, (13, 31), (0, 3)
LABELS = [(WIDTH, batch, seed, epoch) for batch in BATCHES for seed in (2, 3) for epoch in EPOCHS]
State = dict[str, Tensor]


def declared() -> dict:
    """One load, two temperatures, two seeds that are trained here and two that are not."""
    given = deepcopy(STUDY) | {"run": [MLP]}
    zoo = deepcopy(given["zoos"][MLP])
    zoo["load"]["values"] = [WIDTH]
    zoo |= {"seeds": [[0, 1], [2, 3]], "imported": [[2, 3]], "pairs": "all"}
    zoo["training"]["checkpoints"] = [[0], [3]]
    zoo.pop("learning")  # two seeds of one load are too few to learn from
    zoo["merging"]["last_checkpoints"] = [0, 3]
    for family in zoo["metrics"].values():
        family["epochs"] = [3]
    given["zoos"] = {MLP: zoo}
    return given


class Perceptron(nn.Module):
    """The architecture of the zoo, written by somebody else."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(64, width), nn.Linear(width, width)])
        self.head = nn.Linear(width, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        out = inputs.flatten(1)
        for layer in self.hidden:
            out = torch.relu(layer(out))
        return self.head(out)


def perceptron(number: int, width: int = WIDTH) -> Perceptron:
    torch.manual_seed(number)
    return Perceptron(width)


@dataclass
class Foreign:
    """A folder of state dicts and its table, and the study that they go to."""

    tiny: Tiny
    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "models.csv"

    def write(self, head: str, rows: list[str]) -> None:
        self.table.write_text("\n".join([head, *rows]) + "\n")

    def save(self, state: object, position: int = 0) -> None:
        torch.save(state, self.folder / f"{position}.pt")

    def survey(self) -> Survey:
        return survey(self.tiny.root, MLP, self.tiny.study, self.folder, self.table)

    def refused(self, error: type[PhasezooError] = ImportsError) -> list[str]:
        """What is said against it; nothing may have been written."""
        with pytest.raises(error) as problem:
            bring(self.survey())
        assert not (self.tiny.root / "imported").exists()
        return str(problem.value).splitlines()[error is ImportsError :]

    def manifest(self, batch: int = 13, epoch: int = 3) -> Path:
        return self.tiny.root / f"imported/{MLP}/{WIDTH}/{batch}/2+3/{epoch}.json"

    def block(self, batch: int = 13, epoch: int = 3) -> Block:
        return Block(store_of(self.manifest(batch, epoch)))

    def bytes(self) -> dict[str, bytes]:
        """Every file that was imported, but for how and when."""
        files = (p for p in (self.tiny.root / "imported").rglob("*") if p.is_file())
        return {str(p): p.read_bytes() for p in files if ".provenance" not in p.name}


HEAD = "file,width,batch_size,seed,epoch"
ROWS = [f"{i}.pt,{','.join(map(str, label))}" for i, label in enumerate(LABELS)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiny = Tiny(tmp_path_factory.mktemp("data"), declared())
    return tiny.data("digits").parent


@pytest.fixture
def foreign(tmp_path: Path, data: Path) -> Foreign:
    made = Foreign(Tiny(tmp_path / "study", declared()), tmp_path / "foreign")
    made.folder.mkdir()
    shutil.copytree(data, made.tiny.root / "data")
    for i in range(len(LABELS)):
        made.save(perceptron(i).state_dict(), i)
    made.write(HEAD, ROWS)
    return made


def vector(module: nn.Module) -> np.ndarray:
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()]).numpy()


def test_every_model_lies_where_its_row_says(foreign: Foreign) -> None:
    found = foreign.survey()
    assert (found.models, found.declared) == (4, 4)
    assert bring(found) == 4  # two temperatures, two segments
    for i, (_, batch, seed, epoch) in enumerate(LABELS):
        block, position = foreign.block(batch, epoch), seed - 2
        assert np.array_equal(block.weights(position, epoch).parameters, vector(perceptron(i)))
        assert block.status(position, epoch) is Status.TRAINED
    zoo = foreign.tiny.zoo(MLP)
    wanted = [path for path in zoo_weights(zoo, MLP) if path.startswith("imported/")]
    assert all((foreign.tiny.root / path).exists() for path in wanted)
    assert wanting_imports(Plan(foreign.tiny.study), foreign.tiny.root) == {}


def test_its_manifest_holds_the_spec_and_its_provenance_the_files(foreign: Foreign) -> None:
    bring(foreign.survey())
    verify(foreign.manifest())
    spec = read_manifest(foreign.manifest())["spec"]
    assert spec["place"]["seeds"] == [2, 3]
    assert (spec["temperature"], spec["epochs"], spec["architecture"]["width"]) == (13, [3], 3)
    sources = read_json(provenance_of(foreign.manifest()))["sources"]
    assert sources == "".join(f"{digest(foreign.folder / f)}  {f}\n" for f in ("1.pt", "3.pt"))


def test_axes_may_be_called_by_what_they_are_and_other_columns_are_named(foreign: Foreign) -> None:
    foreign.write("note,epoch,seed,temperature,load,file", [
        f"x, {e}.0 ,{s},{t},{w},{i}.pt" for i, (w, t, s, e) in enumerate(LABELS)
    ])  # fmt: skip
    found = foreign.survey()
    assert (len(found.new), found.ignored) == (4, ("note",))


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model_state_dict": state, "optimizer": {"lr": 0.1}},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"state_dict": {f"module.{n}": nn.Parameter(t) for n, t in state.items()}},
    ],
    ids=["state_dict", "model_state_dict", "module", "both"],
)
def test_wrapped_states_are_unwrapped(foreign: Foreign, wrapped: Callable[[State], object]) -> None:
    foreign.save(wrapped(perceptron(1).state_dict()), 1)
    bring(foreign.survey())
    assert np.array_equal(foreign.block().weights(0, 3).parameters, vector(perceptron(1)))


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floating_types_are_converted_and_named(foreign: Foreign, kind: torch.dtype) -> None:
    module = perceptron(1).to(kind)
    foreign.save(module.state_dict(), 1)
    found = foreign.survey()
    assert found.converted == {"1.pt": str(kind).removeprefix("torch.")}
    bring(found)
    assert np.array_equal(foreign.block().weights(0, 3).parameters, vector(module.float()))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_with_one_number_that_is_not_finite_diverged_as_a_whole(
    foreign: Foreign, value: float
) -> None:
    module = perceptron(1)
    nn.init.constant_(module.head.bias, value)
    foreign.save(module.state_dict(), 1)
    found = foreign.survey()
    assert (found.counts[Status.DIVERGED], found.counts[Status.TRAINED]) == (1, 7)
    bring(found)
    assert foreign.block().status(0, 3) is Status.DIVERGED
    assert foreign.block().weights(0, 3).parameters.isnan().all()
    assert foreign.block().status(1, 3) is Status.TRAINED


def test_what_the_table_lacks_is_stored_as_never_trained(foreign: Foreign) -> None:
    foreign.write(HEAD, ROWS[1:4])
    found = foreign.survey()
    assert found.counts == {Status.NEVER_TRAINED: 5, Status.TRAINED: 3, Status.DIVERGED: 0}
    assert found.models == 2
    assert bring(found) == 4
    empty = foreign.block(31, 0)
    assert [empty.status(i, 0) for i in (0, 1)] == [Status.NEVER_TRAINED] * 2
    assert empty.weights(0, 0).parameters.isnan().all()


def test_a_pickle_that_would_run_something_does_not(foreign: Foreign) -> None:
    trap = foreign.folder / "trap"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(trap),)

    state = perceptron(0).state_dict()
    foreign.save({**state, "note": Trap()}, 0)
    (foreign.folder / "1.pt").write_bytes(pickle.dumps(Trap()))
    lines = foreign.refused()
    assert lines[0].startswith("0.pt: refused, it names posix.mkdir")
    assert lines[1].startswith("1.pt: refused")
    assert not trap.exists()
    torch.load(foreign.folder / "0.pt", weights_only=False)
    assert trap.exists()  # it was a trap


def test_a_whole_module_is_refused_with_what_to_save(foreign: Foreign) -> None:
    foreign.save(perceptron(0), 0)
    (line,) = foreign.refused()
    assert line.startswith("0.pt: refused, it names ")
    assert "torch.save(module.state_dict(), path)" in line


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken", pickle.dumps({"a": 1})])
def test_other_bytes_are_one_line(foreign: Foreign, content: bytes) -> None:
    (foreign.folder / "0.pt").write_bytes(content)
    (line,) = foreign.refused()
    assert line.startswith("0.pt: ")


def changed(**tensors: object) -> dict[str, object]:
    state: dict[str, object] = dict(perceptron(0).state_dict())
    return state | {name.replace("_", "."): tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ([1, 2], "got list, allowed is a dict of tensors"),
        ({1: torch.ones(1)}, "got dict, allowed is a dict of tensors"),
        (changed(more=torch.ones(1)), "tensors unexpected: more"),
        (
            {k: v for k, v in perceptron(0).state_dict().items() if "head" not in k},
            "tensors missing: head.weight, head.bias",
        ),
        (changed(head_bias=torch.ones(9)), "head.bias: got shape (9,), allowed is (10,)"),
        (changed(head_bias=3), "head.bias: got int, allowed is a tensor"),
        (changed(head_bias=torch.ones(10).cfloat()), "head.bias: got type complex64, allowed are"),
        (changed(head_bias=torch.ones(10).long()), "head.bias: got type int64, allowed are"),
        (changed(head_bias=torch.ones(10).to_sparse()), "head.bias: got a torch.sparse_coo tensor"),
        (changed(head_bias=torch.ones(10, device="meta")), "head.bias: got a torch.strided tensor"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(foreign: Foreign, state: object, said: str) -> None:
    foreign.save(state)
    (line,) = foreign.refused()
    assert line.startswith(f"0.pt: {said}")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_quantised_weights_are_refused(foreign: Foreign) -> None:
    quantised = torch.quantize_per_tensor(torch.ones(10), 0.1, 0, torch.qint8)
    foreign.save(changed(head_bias=quantised))
    (line,) = foreign.refused()
    assert line.startswith("0.pt: head.bias: got type qint8, allowed are float32")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0.pt,5,13,2,0", "width: got '5', allowed are 3"),
        ("0.pt,3,13.5,2,0", "batch_size: got '13.5', allowed are 13, 31"),
        ("0.pt,3,13,0,0", "seed: got '0', allowed are the seeds of imported blocks 2, 3"),
        ("0.pt,3,13,two,0", "seed: got 'two', allowed are the seeds of imported blocks 2, 3"),
        ("0.pt,3,13,2,1", "epoch: got '1', allowed are the saved epochs 0, 3"),
        ("0.pt,3,13,2,", "epoch: got '', allowed are the saved epochs 0, 3"),
        (",3,13,2,0", "file: got nothing, allowed is a path in the folder"),
        ("none.pt,3,13,2,0", "file: got 'none.pt', and there is no such file"),
        ("../outside.pt,3,13,2,0", "file: got '../outside.pt', allowed is a path inside of"),
        ("/etc/hostname,3,13,2,0", "file: got '/etc/hostname', allowed is a path inside of"),
        ("link.pt,3,13,2,0", "file: got 'link.pt', allowed is a path inside of"),
        (".,3,13,2,0", "file: got '.', and there is no such file"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_named_with_its_line(foreign: Foreign, row: str, said: str) -> None:
    torch.save(perceptron(0).state_dict(), foreign.folder.parent / "outside.pt")
    (foreign.folder / "link.pt").symlink_to("../outside.pt")
    foreign.write(HEAD, [*ROWS[1:3], row])
    (line,) = foreign.refused()
    assert line.startswith(f"{foreign.table}:4: {said}")


def test_a_row_that_is_there_twice_is_named_with_both_lines(foreign: Foreign) -> None:
    foreign.write(HEAD, [*ROWS, ROWS[2].replace("2.pt", "5.pt")])
    (line,) = foreign.refused()
    assert line == (
        f"{foreign.table}:10: width 3, batch_size 13, seed 3, epoch 0 is in line 4 already, "
        "allowed is once"
    )


def test_all_problems_of_all_files_and_rows_are_listed(foreign: Foreign) -> None:
    foreign.save([1], 1)
    foreign.save(perceptron(0, width=4).state_dict(), 6)
    foreign.write(HEAD, [*ROWS, "x.pt,9,13,2,0"])
    lines = foreign.refused()
    assert lines[0].startswith(f"{foreign.table}:10: width: got '9'")
    assert lines[1].startswith(f"{foreign.table}:10: file: got 'x.pt'")
    assert lines[2] == "1.pt: got list, allowed is a dict of tensors"
    assert lines[3] == "6.pt: hidden.0.weight: got shape (4, 64), allowed is (3, 64)"
    assert {line.split(":")[0] for line in lines[3:]} == {"6.pt"}
    assert len(lines) == 3 + 5  # the biases of the head have no width


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "got 0 columns called file, allowed is one"),
        (b"file,width,seed,epoch\n", "got 0 columns called temperature or batch_size"),
        (b"file,width,load,batch_size,seed,epoch\n", "got 2 columns called load or width"),
        (b"file,seed,seed\n", "got the column 'seed' twice"),
        (b"file,width\n1.pt\n", "got 1 cells, allowed are 2, as in the head line"),
        (b"file\xff", "not a CSV file in UTF-8"),
        (b'"file', "not a CSV file in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(foreign: Foreign, content: bytes, said: str) -> None:
    foreign.table.write_bytes(content)
    assert said in foreign.refused(TableError)[0]


def test_a_table_with_a_byte_order_mark_and_blank_lines_is_read(foreign: Foreign) -> None:
    text = "\r\n".join([HEAD, "", *ROWS, ",,,,", ""])
    foreign.table.write_bytes(text.encode("utf-8-sig"))
    assert len(foreign.survey().new) == 4


def test_no_table_and_no_imported_blocks_are_one_line(foreign: Foreign) -> None:
    foreign.table.unlink()
    (line,) = foreign.refused(TableError)
    assert line == f"{foreign.table}: cannot be read (No such file or directory)"
    given = declared()
    given["zoos"][MLP]["imported"] = []
    with pytest.raises(ImportsError, match=f"zoos.{MLP}.imported: got none"):
        survey(foreign.tiny.root, MLP, study_from(given), foreign.folder, foreign.table)


def test_without_the_stored_data_set_the_bytes_are_the_same(foreign: Foreign) -> None:
    bring(foreign.survey())
    before = foreign.bytes()
    for name in ("data", "imported"):
        shutil.rmtree(foreign.tiny.root / name)
    bring(foreign.survey())
    assert foreign.bytes() == before
    assert not (foreign.tiny.root / "data").exists()


def test_importing_again_touches_nothing(foreign: Foreign) -> None:
    foreign.save(changed(head_bias=torch.full((10,), torch.nan)), 0)
    foreign.write(HEAD, ROWS[:-1])
    bring(foreign.survey())
    before = foreign.bytes()
    again = foreign.survey()
    assert (again.new, again.same, again.other) == ([], 4, [])
    assert bring(again) == 0
    shutil.rmtree(foreign.tiny.root / "imported")
    bring(foreign.survey())
    assert foreign.bytes() == before


def test_what_is_there_and_differs_is_replaced_only_on_demand(foreign: Foreign) -> None:
    bring(foreign.survey())
    before = foreign.bytes()
    foreign.save(perceptron(50).state_dict(), 1)
    foreign.write(HEAD, ROWS[:-1])
    with pytest.raises(ImportsError) as problem:
        bring(foreign.survey())
    assert str(problem.value).splitlines()[1:] == [
        f"{foreign.manifest()}: seed 2, epoch 3: other weights",
        f"{foreign.manifest(31)}: seed 3, epoch 3: trained, not never_trained",
    ]
    assert foreign.bytes() == before
    assert bring(foreign.survey(), replace=True) == 2
    assert np.array_equal(foreign.block().weights(0, 3).parameters, vector(perceptron(50)))
    differ = {path for path, content in foreign.bytes().items() if before.get(path) != content}
    assert all("/3.zarr" in path or path.endswith("/3.json") for path in differ)


def test_what_was_altered_or_made_from_another_spec_differs(foreign: Foreign) -> None:
    bring(foreign.survey())
    (store_of(foreign.manifest()) / "zarr.json").write_text("{}")
    ((_, said),) = foreign.survey().other
    assert "altered" in said
    given = declared()
    given["zoos"][MLP]["architecture"]["hidden_layers"] = 1
    foreign.write(HEAD, [])
    found = survey(foreign.tiny.root, MLP, study_from(given), foreign.folder, foreign.table)
    assert {how for block, how in found.other if block.manifest != foreign.manifest()} == {
        "made from another spec"
    }


def test_a_file_that_changes_between_survey_and_import_is_not_taken(foreign: Foreign) -> None:
    found = foreign.survey()
    foreign.save(perceptron(50).state_dict(), 0)
    with pytest.raises(ImportsError, match=r"0\.pt: changed while it was imported"):
        bring(found)
    assert not foreign.manifest(13, 0).exists()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """A zoo of a block trained here and one that was brought, in which two models are amiss."""
    root = tmp_path_factory.mktemp("published")
    made = Foreign(Tiny(root / "study", declared()), root / "foreign")
    made.folder.mkdir()
    tiny, wildcards = made.tiny, type("At", (), {"zoo": MLP})
    for name in ("digits", "turned"):
        tiny.data(name)
    for i in range(len(LABELS)):
        made.save(perceptron(i).state_dict(), i)
    made.save(changed(head_bias=torch.full((10,), torch.inf)), 7)  # batch 31, seed 3, epoch 3
    made.write(HEAD, [row for i, row in enumerate(ROWS) if i != 5])  # batch 31, seed 2, epoch 3
    bring(made.survey())
    for manifest in tiny.plan.all_weights(wildcards):
        if manifest.startswith("runs/"):
            tiny.train(manifest)
    for group in tiny.plan.groups(tiny.zoo(MLP)):
        for measured in tiny.plan.measurements(group)(wildcards):
            tiny.measure(measured)
        tiny.collect(MLP, group)
    tiny.phases(MLP)
    tiny.explained(MLP)
    tiny.publish(MLP)
    return made


def test_a_published_model_is_the_imported_one(published: Foreign) -> None:
    zoo = open_zoo(published.tiny.root / paths.ZOO.format(zoo=MLP))
    inputs = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for i, (width, batch, seed, epoch) in enumerate(LABELS):
        if i not in (5, 7):
            model = load_model(zoo, width=width, batch_size=batch, seed=seed, epoch=epoch)
            assert np.array_equal(vector(model), vector(perceptron(i)))
            with torch.no_grad():
                assert torch.equal(model(inputs), perceptron(i)(inputs))


def test_pairs_of_trained_and_imported_seeds_are_measured(published: Foreign) -> None:
    metrics = open_zoo(published.tiny.root / paths.ZOO.format(zoo=MLP)).metrics
    assert list(metrics["pair"].values) == ["0-1", "2-3", "0-2", "0-3", "1-2", "1-3"]
    whole = metrics.sel(batch_size=13, epoch=3)
    for name in ("mode_connectivity", "cka", "l2_distance"):
        assert whole[name].notnull().all()
    apart = whole["l2_distance"].sel(pair="2-3").item()
    distance = np.linalg.norm(vector(perceptron(1)) - vector(perceptron(3)))
    assert apart == pytest.approx(distance, rel=1e-5)


def test_models_that_are_missing_or_diverged_are_so_everywhere(published: Foreign) -> None:
    zoo = open_zoo(published.tiny.root / paths.ZOO.format(zoo=MLP))
    hot = zoo.metrics.sel(batch_size=31, epoch=3).isel(load=0)
    assert list(hot["status"].values) == [
        Status.TRAINED, Status.TRAINED, Status.NEVER_TRAINED, Status.DIVERGED
    ]  # fmt: skip
    for name in ("train_loss", "test_error", "hessian_trace"):
        assert list(hot[name].isnull().values) == [False, False, True, True]
    for name in ("mode_connectivity", "l2_distance"):
        assert list(hot[name].notnull().values) == [True] + [False] * 5
    merged = zoo.merging.sel(batch_size=31, epoch=3).isel(load=0)
    assert list(merged["barrier_naive"].notnull().values) == [True] + [False] * 5
    moved = zoo.transfer.sel(batch_size=31, epoch=3).isel(load=0)
    assert list(moved["fine_tuned_error"].isnull().values) == [False, False, True, True]
    cell = zoo.phases.sel(batch_size=31, epoch=3).isel(load=0)
    assert (cell["models"].item(), cell["diverged"].item()) == (2, 1)
    with pytest.raises(PhasezooError, match="no finite weights"):
        load_model(zoo, width=WIDTH, batch_size=31, seed=2, epoch=3)


def test_the_report_counts_them(published: Foreign) -> None:
    tiny = published.tiny
    output, *pictures = (tiny.root / path for path in (paths.REPORT, *tiny.plan.pictures()))
    job = jobs.ReportJob.model_validate_json(tiny.plan.report_job())
    report(job, tiny.root, output, pictures)
    assert "6 trained, 1 diverged, 1 never trained" in output.read_text()


def test_an_imported_block_has_no_state_to_train_on_from(foreign: Foreign) -> None:
    bring(foreign.survey())
    with pytest.raises(ManifestError, match="trained elsewhere"):
        foreign.block().last(0)
