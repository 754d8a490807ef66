"""Every wrong `params.yaml` is refused in one line that names the key, the value and the rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from phasezoo.spec import SpecError, read_study, study_from

STUDY = Path(__file__).parents[1] / "study.yaml"
MLP = "zoos.digits-mlp"
NAN, INF = float("nan"), float("inf")
Change = Callable[[dict[str, Any]], None]


def given() -> dict[str, Any]:
    """A valid spec, free of shared parts: YAML's anchors make two zoos share one."""
    spec: dict[str, Any] = yaml.safe_load(STUDY.read_text(encoding="utf-8"))
    return json.loads(json.dumps(spec))


def parent_of(spec: dict[str, Any], key: str) -> tuple[Any, str]:
    *path, last = key.split(".")
    for part in path:
        spec = spec[part]
    return spec, last


def put(key: str, value: Any) -> Change:
    def change(spec: dict[str, Any]) -> None:
        parent, last = parent_of(spec, key)
        parent[last] = value

    return change


def drop(key: str) -> Change:
    def change(spec: dict[str, Any]) -> None:
        parent, last = parent_of(spec, key)
        del parent[last]

    return change


def rename(key: str, name: str) -> Change:
    def change(spec: dict[str, Any]) -> None:
        parent, last = parent_of(spec, key)
        parent[name] = parent.pop(last)

    return change


def wrong(label: str, key: str, value: Any, got: str, allowed: str, at: str | None = None) -> Any:
    """One case: `value` put at `key` is refused at `at` (the same key unless told)."""
    return pytest.param(put(key, value), at or key, got, allowed, id=label)


def brought(label: str, key: str, value: Any, got: str, allowed: str) -> Any:
    """One case: an archive from the web with `value` at `key`, or without it, is refused there."""
    spec = {**BROUGHT, key: value}
    if value is None:
        del spec[key]
    return pytest.param(put("data.brought", spec), f"data.brought.{key}", got, allowed, id=label)


def missing(label: str, key: str) -> Any:
    return pytest.param(drop(key), key, "nothing", "this key must be given", id=label)


AXIS, RUN = f"{MLP}.load", "run"
HEAT = f"{MLP}.temperature"
TRAINING = f"{MLP}.training"
SGD = f"{TRAINING}.optimiser"
BROUGHT = {
    "source": "npz", "recipe": 1, "train": 100, "split_seed": 0,
    "url": "https://example.org/set.npz", "sha256": "0123456789abcdef" * 4,
}  # fmt: skip
SAVED = "[0, 10, 30, 52, 54, 56, 58, 60]"

WRONG = [
    # keys
    wrong("unknown key at the top", "extra", 1, "1", "one of the keys run, data, zoos"),
    wrong("unknown key of a zoo", f"{MLP}.colour", "red", "'red'", "one of the keys title, recipe"),
    wrong("unknown key of a metric", f"{MLP}.metrics.hessian.seed", 3, "3", "keys epochs, family"),
    wrong("unknown metric", f"{MLP}.metrics.fid", {}, "{}", "keys evaluation, hessian"),
    wrong("unknown key of the data", "data.digits.augment", True, "True", "one of the keys source"),
    wrong("key of another schedule", f"{TRAINING}.schedule.eta_min", 0.0, "0.0", "keys name"),
    missing("no run", RUN),
    missing("no data", "data"),
    missing("no zoos", "zoos"),
    missing("no title", f"{MLP}.title"),
    missing("no learning rate", f"{SGD}.learning_rate"),
    missing("no name of the architecture", f"{MLP}.architecture.name"),
    missing("no metric family", f"{MLP}.metrics.similarity"),
    missing("no size of the training set", "data.digits.train"),
    # types
    wrong("null zoos", "zoos", None, "None", "a mapping of keys to values"),
    wrong("null zoo", MLP, None, "None", "a mapping of keys to values"),
    wrong("zoo that is text", MLP, "small", "'small'", "a mapping of keys to values"),
    wrong("data that is a list", "data", [1], "[1]", "a mapping of keys to values"),
    wrong("data set that is text", "data.digits", "digits", "'digits'", "a mapping of keys"),
    wrong("architecture that is text", f"{MLP}.architecture", "mlp", "'mlp'", "a mapping of keys"),
    wrong("title that is a number", f"{MLP}.title", 3, "3", "text"),
    wrong("recipe that is text", f"{MLP}.recipe", "1", "'1'", "a whole number"),
    wrong("recipe that is a truth value", f"{MLP}.recipe", True, "True", "a whole number"),
    wrong("references that are text", f"{MLP}.references", "x", "'x'", "a list"),
    wrong("momentum that is a truth value", f"{SGD}.momentum", False, "False", "a number"),
    wrong("learning rate in words", f"{SGD}.learning_rate", "fast", "'fast'", "a number"),
    wrong("flag in words", f"{SGD}.nesterov", "no", "'no'", "true or false"),
    wrong("half an iteration", f"{MLP}.metrics.hessian.iterations", 1.5, "1.5", "a whole number"),
    # numbers
    wrong("recipe 0", f"{MLP}.recipe", 0, "0", "greater than 0"),
    wrong("learning rate NaN", f"{SGD}.learning_rate", NAN, "nan", "a finite number"),
    wrong("learning rate infinite", f"{SGD}.learning_rate", INF, "inf", "a finite number"),
    wrong("learning rate overflows", f"{SGD}.learning_rate", "1e999", "inf", "a finite number"),
    wrong("learning rate negative", f"{SGD}.learning_rate", -0.1, "-0.1", "greater than 0"),
    wrong("momentum 1", f"{SGD}.momentum", 1.0, "1.0", "less than 1"),
    wrong("rising share 1.5", f"{TRAINING}.schedule.pct_start", 1.5, "1.5", "less than 1"),
    wrong("CKA above 1", f"{MLP}.phases.cka", 1.5, "1.5", "at most 1"),
    wrong("a word for CKA", f"{MLP}.phases.cka", "guess", "'guess'", "'calibrated'"),
    wrong("loss below 0", f"{MLP}.phases.train_loss", -1.0, "-1.0", "greater than 0"),
    wrong("no factor", f"{MLP}.phases.factor", 1.0, "1.0", "greater than 1"),
    wrong("unknown scheme", f"{MLP}.phases.scheme", "four", "'four'", "'regimes'"),
    wrong("points 2", f"{MLP}.metrics.connectivity.points", 2, "2", "at least 3"),
    wrong("no curve", f"{MLP}.metrics.connectivity.repeats", 0, "0", "greater than 0"),
    missing("no refinements", f"{MLP}.metrics.connectivity.refinements"),
    wrong("number that is not the published one", f"{MLP}.metrics.connectivity.as_published", True,
          "20", "10, or nothing, because as_published is true",
          at=f"{MLP}.metrics.connectivity.curve_epochs"),
    wrong("published in words", f"{MLP}.metrics.connectivity.as_published", "yes", "'yes'",
          "true or false"),
    wrong("three samples", f"{MLP}.metrics.similarity.samples", 3, "3", "at least 4"),
    wrong("unknown layer", f"{MLP}.metrics.similarity.layers", ["hidden.2"], "'hidden.2'",
          "layers of the architecture: hidden.0, hidden.1, head"),
    wrong("layer twice", f"{MLP}.metrics.similarity.layers", ["head", "head"], "['head', 'head']",
          "each layer once"),
    wrong("points 2 of merging", f"{MLP}.merging.points", 2, "2", "at least 3"),
    wrong("probes 1", f"{MLP}.metrics.hessian.probes", 1, "1", "at least 2"),
    wrong("no sweeps", f"{MLP}.merging.sweeps", 0, "0", "greater than 0"),
    # words
    wrong("unknown architecture", f"{MLP}.architecture.name", "lstm", "'lstm'", "'small-resnet'"),
    wrong("unknown schedule", f"{TRAINING}.schedule.name", "step", "'step'", "'cosine'"),
    wrong("unknown optimiser", f"{SGD}.name", "adam", "'adam'", "'sgd'"),
    wrong("unknown device", f"{TRAINING}.device", "tpu", "'tpu'", "'cpu' or 'gpu'"),
    wrong("unknown mean", f"{MLP}.phases.seeds", "max", "'max'", "'mean' or 'median'"),
    wrong("unknown data set", f"{MLP}.dataset", "mnist", "'mnist'", "digits, digits-noisy"),
    wrong("unknown second task", f"{MLP}.transfer.dataset", "mnist", "'mnist'", "digits-rotated"),
    wrong("unknown head", f"{MLP}.transfer.head", "new", "'new'", "'kept' or 'fresh'"),
    wrong("unknown zoo in the run", RUN, ["vgg"], "'vgg'", "digits-mlp, digits-resnet"),
    wrong("number in the run", RUN, [7], "7", "text", at="run[0]"),
    wrong("zoo twice in the run", RUN, ["digits-mlp"] * 2, "['digits-mlp', ", "each zoo once"),
    wrong("empty run", RUN, [], "[]", "at least 1"),
    wrong("run that is text", RUN, "digits-mlp", "'digits-mlp'", "a list"),
    pytest.param(
        rename(MLP, "Digits-MLP"), "zoos.Digits-MLP", "'Digits-MLP'", "small letters",
        id="capital letters in a name",
    ),
    pytest.param(
        rename(MLP, "digits/mlp"), "zoos.digits/mlp", "'digits/mlp'", "small letters",
        id="slash in a name",
    ),
    pytest.param(
        rename("data.digits-noisy", "digits--noisy"), "data.digits--noisy", "'digits--noisy'",
        "single hyphens", id="double hyphen in a name",
    ),
    # axes
    wrong("axis of no hyperparameter", f"{AXIS}.hyperparameter", "depth", "'depth'", "width"),
    wrong("load by batch size", f"{AXIS}.hyperparameter", "batch_size", "'batch_size'", "width"),
    wrong("empty axis", f"{AXIS}.values", [], "[]", "at least one number in every share"),
    wrong("empty share", f"{AXIS}.values", [[4], []], "[[4], []]", "at least one number"),
    wrong("axis without values", f"{AXIS}.values", None, "None", "a list"),
    wrong("axis of one number", f"{AXIS}.values", 4, "4", "a list"),
    wrong("width twice", f"{AXIS}.values", [4, [8, 4]], "[4, 4, 8]", "each width once (4 is"),
    wrong("width negative", f"{AXIS}.values", [-4], "-4", "whole numbers greater than 0"),
    wrong("width zero", f"{AXIS}.values", [0], "0", "whole numbers greater than 0"),
    wrong("width fractional", f"{AXIS}.values", [4.5], "4.5", "whole numbers greater than 0"),
    wrong("width with a point", f"{AXIS}.values", [16.0], "16.0", "whole numbers greater than 0"),
    wrong("width true", f"{AXIS}.values", [True], "True", "a number", at=f"{AXIS}.values[0][0]"),
    wrong("width NaN", f"{AXIS}.values", [NAN], "nan", "finite", at=f"{AXIS}.values[0][0]"),
    wrong("width in words", f"{AXIS}.values", ["4"], "'4'", "a number", at=f"{AXIS}.values[0][0]"),
    wrong("batch larger than the set", f"{HEAT}.values", [[8, 1201]], "1201", "at most 1200"),
    wrong("width on the axis and fixed", f"{MLP}.architecture.width", 4, "4", "null, because"),
    wrong("batch size on the axis and fixed", f"{TRAINING}.batch_size", 8, "8", "null, because"),
    wrong("learning rate nowhere", f"{SGD}.learning_rate", None, "None", "a number, because learn"),
    wrong(
        "batch size of the second task nowhere", f"{MLP}.transfer.optimisation.batch_size", None,
        "None", "a number, because no grid axis",
    ),
    wrong(
        "learning rate of the second task nowhere",
        f"{MLP}.transfer.optimisation.optimiser.learning_rate", None, "None", "a number, because",
    ),
    # seeds and epochs
    wrong("no seeds", f"{MLP}.seeds", [], "[]", "at least one block"),
    wrong("block of no seeds", f"{MLP}.seeds", [[]], "[[]]", "at least two seeds each"),
    wrong("block of one seed", f"{MLP}.seeds", [[0], [1]], "[[0], [1]]", "two seeds in a block"),
    wrong(
        "blocks of two lengths",
        f"{MLP}.seeds",
        [[0, 1], [2, 3, 4]],
        "[[0, 1], [2, 3, 4]]",
        "of one length",
    ),
    wrong("import of no block", f"{MLP}.imported", [[7]], "[7]", "blocks of seeds: [[0, 1, 2]]"),
    wrong("pairs unknown", f"{MLP}.pairs", "some", "'some'", "'disjoint' or 'all'"),
    wrong("seed in two blocks", f"{MLP}.seeds", [[0, 1], [1, 2]], "[0, 1, 1, 2]", "each seed once"),
    wrong("seed negative", f"{MLP}.seeds", [[-1]], "-1", "at least 0", at=f"{MLP}.seeds[0][0]"),
    wrong("seeds without blocks", f"{MLP}.seeds", [3], "3", "a list", at=f"{MLP}.seeds[0]"),
    wrong("no checkpoints", f"{TRAINING}.checkpoints", [], "[]", "at least one epoch"),
    wrong("segment of none", f"{TRAINING}.checkpoints", [[0, 60], []], "[[0, 60], []]", "segment"),
    wrong("checkpoints fall", f"{TRAINING}.checkpoints", [[0, 60], [30]], "[0, 60, 30]", "incr"),
    wrong("checkpoints start at 1", f"{TRAINING}.checkpoints", [[1, 60]], "[1, 60]", "start at 0"),
    wrong("parts fall", f"{TRAINING}.at_once_from", [[128, 7], [64, 9]], "[128, 64]", "incr"),
    wrong("sees by age", f"{TRAINING}.seen", {"by": "age"}, "'age'", "'labels', 'chance'",
          at=f"{TRAINING}.seen.by"),
    wrong("sees a minority", f"{TRAINING}.seen", {"by": "labels", "majority": 0.3}, "0.3",
          "at least 0.5", at=f"{TRAINING}.seen.majority"),
    wrong("sees nothing", f"{TRAINING}.seen", {"by": "chance", "share": 0}, "0", "greater than 0",
          at=f"{TRAINING}.seen.share"),
    wrong("sees more than all", f"{TRAINING}.seen", {"by": "chance", "share": 1.5}, "1.5",
          "less than 1", at=f"{TRAINING}.seen.share"),
    wrong("together along no axis", f"{TRAINING}.together", ["seed"], "'seed'",
          "'load' or 'temperature'", at=f"{TRAINING}.together[0]"),
    wrong("together twice", f"{TRAINING}.together", ["load", "load"], "['load', 'load']", "once"),
    wrong("precision unknown", f"{TRAINING}.precision", "half", "'half'", "'tf32' or 'bf16'"),
    wrong("stack of none", f"{TRAINING}.stack", 0, "0", "greater than 0"),
    wrong("checkpoint twice", f"{TRAINING}.checkpoints", [[0, 60], [60]], "[0, 60, 60]", "once"),
    wrong("metric unsaved", f"{MLP}.metrics.hessian.epochs", [31], "31", SAVED),
    wrong("metric nowhere", f"{MLP}.metrics.hessian.epochs", [], "[]", "at least 1"),
    wrong("metric twice", f"{MLP}.metrics.hessian.epochs", [60, 60], "[60, 60]", "each epoch once"),
    wrong("merging unsaved", f"{MLP}.merging.epochs", [31], "31", SAVED),
    wrong("transfer unsaved", f"{MLP}.transfer.epochs", [31], "31", SAVED),
    wrong("average unsaved", f"{MLP}.merging.last_checkpoints", [58, 59], "59", SAVED),
    wrong("half a cycle", f"{MLP}.transfer.fine_tune_epochs", 15, "30", "fine_tune_epochs",
          at=f"{MLP}.transfer.optimisation.schedule.epochs"),
    wrong("no epoch with phases", f"{MLP}.metrics.similarity.epochs", [0], "[", "share",
          at=f"{MLP}.metrics.evaluation.epochs"),
    wrong("second task split otherwise", "data.digits-rotated.split_seed", 1,
          "'digits-rotated'", "split_seed of digits", at=f"{MLP}.transfer.dataset"),
    wrong("average of one", f"{MLP}.merging.last_checkpoints", [60], "[60]", "at least 2"),
    # data
    wrong("unknown source", "data.digits.source", "imagenet", "'imagenet'", "'digits'"),
    wrong("rotation 360", "data.digits-rotated.rotation", 360, "360", "less than 360"),
    wrong("rotation backwards", "data.digits-rotated.rotation", -90, "-90", "at least 0"),
    wrong("rotation by half degrees", "data.digits-rotated.rotation", 4.5, "4.5", "a whole number"),
    wrong("noise 1.5", "data.digits-noisy.label_noise.fraction", 1.5, "1.5", "less than 1"),
    wrong("noise negative", "data.digits-noisy.label_noise.fraction", -0.1, "-0.1", "at least 0"),
    wrong("training set of everything", "data.digits.train", 1797, "1797", "at most 1787"),
    wrong("fewer samples than classes", "data.digits.train", 7, "7", "at least 10"),
    wrong("keep fewer than classes", "data.digits-rotated.keep", 7, "7", "at least 10"),
    wrong("keep more than there is", "data.digits-rotated.keep", 1201, "1201", "at most 1190"),
    wrong("address of digits", "data.digits.url", "https://example.org/a", "'https", "keys source"),
    wrong("checksum of digits", "data.digits.sha256", "0" * 64, "'0000", "keys source, recipe"),
    brought("no address", "url", None, "nothing", "this key must be given"),
    brought("no checksum", "sha256", None, "nothing", "this key must be given"),
    brought("address of a local file", "url", "file:///a.npz", "'file:///a.npz'", "http://"),
    brought("path for an address", "url", "sets/a.npz", "'sets/a.npz'", "http://"),
    brought("address without a host", "url", "https:///a.npz", "'https:///a.npz'", "http://"),
    brought("address with a space", "url", "https://a.org/a b", "'https://a.org/a b'", "http://"),
    brought("address of no port", "url", "http://a.org:x/a", "'http://a.org:x/a'", "http://"),
    brought("address with a password", "url", "http://me:pw@a.org/", "'http", "without a password"),
    brought("address that is a number", "url", 7, "7", "http://"),
    brought("short checksum", "sha256", "0" * 63, "'0000", "64 hexadecimal digits"),
    brought("checksum in other digits", "sha256", "g" * 64, "'gggg", "64 hexadecimal digits"),
    brought("checksum that is a number", "sha256", 10**63, "1000", "64 hexadecimal digits"),
    brought("one training sample", "train", 1, "1", "at least 2"),
    brought("keep one", "keep", 1, "1", "at least 2"),
    brought("keep more than is brought", "keep", 101, "101", "at most 98"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "key", "got", "allowed"), WRONG)
def test_a_wrong_spec_is_refused_by_key_value_and_rule(
    change: Change, key: str, got: str, allowed: str
) -> None:
    spec = given()
    change(spec)
    with pytest.raises(SpecError) as refusal:
        study_from(spec)
    (line,) = str(refusal.value).splitlines()
    parts = re.fullmatch(
        r"(?P<source>[^:]+): (?P<key>.+): got (?P<got>.+); allowed: (?P<rule>.+)", line
    )
    assert parts is not None, line
    assert parts["source"] == "params.yaml"
    assert parts["key"] == key
    assert parts["got"].startswith(got)
    assert allowed in parts["rule"]


def test_the_cases_are_at_least_forty_and_differ() -> None:
    labels = [case.id for case in WRONG]
    assert len(set(labels)) == len(labels) >= 40


def test_two_problems_are_two_lines() -> None:
    spec = given()
    put(f"{MLP}.recipe", 0)(spec)
    put("data.digits.train", 7)(spec)
    with pytest.raises(SpecError) as refusal:
        study_from(spec)
    keys = [line.split(": ")[1] for line in str(refusal.value).splitlines()]
    assert keys == ["data.digits.train", f"{MLP}.recipe"]


def test_a_key_that_yaml_reads_as_a_truth_value_is_an_unknown_key() -> None:
    spec = given()
    spec[True] = 5  # YAML 1.1 reads the key `on` so
    with pytest.raises(
        SpecError, match=r"^params\.yaml: True: got 5; allowed: one of the keys run"
    ):
        study_from(spec)


def test_a_long_value_is_shortened() -> None:
    spec = given()
    put("run", "x" * 500)(spec)
    with pytest.raises(SpecError) as refusal:
        study_from(spec)
    assert len(str(refusal.value)) < 120


def test_a_batch_size_is_measured_against_what_is_kept() -> None:
    spec = given()
    put("data.digits.keep", 511)(spec)
    with pytest.raises(SpecError, match="got 512; allowed: at most 511, the training samples"):
        study_from(spec)


def test_nesterov_needs_momentum() -> None:
    spec = given()
    put(
        SGD,
        {**spec["zoos"]["digits-mlp"]["training"]["optimiser"], "momentum": 0, "nesterov": True},
    )(spec)
    with pytest.raises(SpecError, match=r"optimiser\.nesterov: got True; allowed: false, because"):
        study_from(spec)


LBFGS = {
    "name": "lbfgs", "learning_rate": None, "history": 7, "tolerance_grad": 0,
    "tolerance_change": 0,
}  # fmt: skip


def searching(**changes: Any) -> dict[str, Any]:
    """A study whose zoo is trained by L-BFGS."""
    spec = given()
    zoo = spec["zoos"]["digits-mlp"]
    zoo["temperature"] = {"hyperparameter": "learning_rate", "values": [[0.1, 1.0]]}
    whole = {"optimiser": LBFGS, "batch_size": "full", "schedule": {"name": "constant"}}
    zoo["training"] |= whole | changes
    return spec


def test_lbfgs_takes_whole_batches() -> None:
    found = study_from(searching()).zoos["digits-mlp"].training.optimiser
    assert (found.name, found.moments, found.arrays) == ("lbfgs", 17, 1)


@pytest.mark.parametrize(
    ("key", "value", "got", "allowed"),
    [
        ("batch_size", 8, "8", "full, because lbfgs"),
        ("batch_size", None, "None", "full, because lbfgs"),
        ("augmentation", {"crop": 1}, "{'crop': 1", "nothing, because lbfgs"),
        (
            "schedule",
            {"name": "cosine", "epochs": 3, "eta_min": 0},
            "'cosine'",
            "constant, because",
        ),
        ("optimiser", LBFGS | {"history": 0}, "0", "greater than 0"),
        ("optimiser", LBFGS | {"tolerance_grad": -1}, "-1", "at least 0"),
        ("optimiser", LBFGS | {"momentum": 0.9}, "0.9", "one of the keys name, learning_rate, hi"),
    ],
)
def test_lbfgs_refuses_what_changes_the_loss_between_evaluations(
    key: str, value: Any, got: str, allowed: str
) -> None:
    with pytest.raises(SpecError) as refusal:
        study_from(searching(**{key: value}))
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"params.yaml: zoos.digits-mlp.training.{key}")
    assert f"got {got}" in line
    assert f"; allowed: {allowed}" in line


def test_lbfgs_has_no_weight_decay_to_put_on_an_axis() -> None:
    spec = searching(optimiser=LBFGS | {"learning_rate": 1.0})
    spec["zoos"]["digits-mlp"]["temperature"]["hyperparameter"] = "weight_decay"
    with pytest.raises(
        SpecError, match="got 'weight_decay'; allowed: learning_rate, because lbfgs"
    ):
        study_from(spec)


def test_an_axis_value_that_its_path_cannot_carry_is_refused() -> None:
    spec = given()
    zoo = spec["zoos"]["digits-mlp"]
    zoo["training"]["optimiser"]["learning_rate"], zoo["training"]["batch_size"] = None, 32
    zoo["temperature"] = {"hyperparameter": "learning_rate", "values": [0.1, 0.1234567890123]}
    with pytest.raises(SpecError, match=r"values: got 0\.1234567890123; allowed: .* 12 "):
        study_from(spec)


@pytest.mark.parametrize(
    ("content", "got", "allowed"),
    [
        pytest.param(b"", "None", "a mapping with the keys run, data, zoos", id="empty"),
        pytest.param(b"run\n", "'run'", "a mapping", id="text"),
        pytest.param(b"- run\n", "['run']", "a mapping", id="list"),
        pytest.param(b"run: [a\n", "while parsing", "YAML in UTF-8", id="not YAML"),
        pytest.param(b"run: \xff\xfe\n", "'utf-8' codec", "YAML in UTF-8", id="not text"),
        pytest.param(b"run: [a]\nrun: [b]\n", "the key 'run' twice", "YAML", id="key twice"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(
    tmp_path: Path, content: bytes, got: str, allowed: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as refusal:
        read_study(path)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"{path}: the file: got {got}")
    assert f"; allowed: {allowed}" in line


@pytest.mark.parametrize(
    ("name", "got"), [("absent.yaml", "No such file"), (".", "Is a directory")]
)
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str, got: str) -> None:
    with pytest.raises(SpecError, match=f"the file: got {got}.*; allowed: a file that can be read"):
        read_study(tmp_path / name)


MERGED = """
run: [a]
data:
  one: &one {source: digits, recipe: 1, train: 100, split_seed: 0}
  two: &two {<<: *one, keep: 50}
  three: &three {<<: *two, keep: 40}
  four: {<<: *two, rotation: 20}
  five: {<<: [*three, *two], rotation: 10}
zoos: {}
"""


def test_a_mapping_merged_through_two_anchors_has_no_key_twice(tmp_path: Path) -> None:
    """`two` brings `keep` of its own and what it took from `one`, to three others."""
    path = tmp_path / "params.yaml"
    path.write_text(MERGED.replace("[a]", "[]"))
    with pytest.raises(SpecError) as refusal:
        read_study(path)
    (line,) = str(refusal.value).splitlines()  # the run alone is wrong
    assert line == f"{path}: run: got []; allowed: at least 1 of them"


@pytest.mark.parametrize(
    ("given", "changed", "key"),
    [
        pytest.param("two: &two {", "two: &two {keep: 3, ", "keep", id="in a merged mapping"),
        pytest.param("four: {", "four: {rotation: 3, ", "rotation", id="beside a merge"),
        pytest.param("five: {", "five: {<<: *one, ", "<<", id="the merge itself"),
        pytest.param("  four:", "  one:", "one", id="names of data sets"),
    ],
)
def test_a_key_twice_is_refused_beside_merges_too(
    tmp_path: Path, given: str, changed: str, key: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(MERGED.replace(given, changed))
    with pytest.raises(SpecError, match=f"the file: got the key '{key}' twice"):
        read_study(path)
