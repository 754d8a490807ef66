"""Python's own documentation as a corpus: nothing that is tested on is trained on."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from pydoc_data import topics as documentation
from typing import Any

import numpy as np
import pytest
import xarray as xr

from data.texts import side, stream
from phasezoo.data.corpus import CorpusError
from phasezoo.data.labelled import labelled
from phasezoo.data.text_pydoc import sides, without_repetitions
from phasezoo.spec.jobs import DataJob
from phasezoo.spec.text import Pydoc
from phasezoo.vocabulary import Split

LENGTH, TRAIN, TEST = 61, 2003, 503
TOPICS = documentation.topics
SHA256 = hashlib.sha256(json.dumps(dict(TOPICS), sort_keys=True).encode()).hexdigest()


def spec_of(**changes: Any) -> Pydoc:
    given = {"source": "pydoc", "recipe": 1, "context": LENGTH - 1, "train": TRAIN, "test": TEST}
    return Pydoc.model_validate({**given, "split_seed": 0, **changes})


def made(**changes: Any) -> xr.Dataset:
    return labelled(spec_of(**changes))


def read_back(data: xr.Dataset, split: Split) -> bytes:
    return data["byte"].values[stream(data, split)].tobytes()


def words(text: str) -> str:
    return " ".join(text.split())


def test_no_paragraph_is_in_two_documents() -> None:
    texts = without_repetitions(TOPICS)
    own = [{words(p) for p in text.split("\n\n")} for text in texts.values()]
    assert sum(map(len, own)) == len(set().union(*own))


def test_nothing_but_repetitions_is_left_out() -> None:
    texts = without_repetitions(TOPICS)
    kept = {words(p) for text in texts.values() for p in text.split("\n\n")}
    assert kept == {words(p) for text in TOPICS.values() for p in text.split("\n\n")}
    longest = max(TOPICS, key=lambda name: len(TOPICS[name]))
    assert texts[longest] == TOPICS[longest]


def test_repetitions_go_whatever_their_white_space_and_empty_topics_with_them() -> None:
    topics = {
        "a": "One two.\n\nOwn.",
        "b": "One two.\n\nOne\ntwo.\n\nThree four five.",
        "c": "  Own.",
    }
    assert without_repetitions(topics) == {"a": "Own.", "b": topics["b"]}


def share_in_training(texts: dict[str, str], split_seed: int) -> float:
    """Share of the test windows that are found in a training document, letter by letter."""
    names = sorted(texts)
    train, test = sides([len(texts[name]) for name in names], split_seed)
    trained = "\0".join(texts[names[i]] for i in train)
    tested = "\0".join(texts[names[i]] for i in test)
    windows = [tested[i : i + LENGTH] for i in range(0, len(tested) - LENGTH, LENGTH)]
    return float(np.mean([window in trained for window in windows]))


def test_repetitions_are_why_test_text_would_be_trained_on() -> None:
    before = np.mean([share_in_training(dict(TOPICS), seed) for seed in range(5)])
    after = np.mean([share_in_training(without_repetitions(TOPICS), seed) for seed in range(5)])
    assert before > 0.2
    assert after < 0.03  # lines that stand in two paragraphs


@pytest.mark.parametrize("split_seed", [0, 1, 2])
def test_a_fifth_of_the_bytes_is_tested_on(split_seed: int) -> None:
    sizes = [len(text.encode()) + 1 for text in without_repetitions(TOPICS).values()]
    train, test = sides(sizes, split_seed)
    assert sorted(train + test) == list(range(len(sizes)))
    assert 0.19 < sum(sizes[i] for i in test) / sum(sizes) <= 0.2


def test_windows_are_read_back_as_documents_each_on_one_side() -> None:
    data = made()
    number = {text.encode(): name for name, text in without_repetitions(TOPICS).items()}
    names = data.attrs["documents"].split()
    whole: list[str] = []
    for split in Split:
        text = read_back(data, split)
        *pieces, last = text.split(b"\0")
        found = [number[piece] for piece in pieces]  # whole documents of the corpus
        (cut,) = [name for t, name in number.items() if t.startswith(last)] if last else [""]
        # the document of a window is the one after as many ends as come before it
        owners = [[*found, cut][text[:at].count(b"\0")] for at in range(0, len(text), LENGTH)]
        assert [names[i] for i in side(data, split)["document"].values] == owners
        whole += [*found, cut]
    assert len(whole) > 10
    assert len(set(whole)) == len(whole)


def test_the_vocabulary_is_the_bytes_of_the_training_side() -> None:
    texts = without_repetitions(TOPICS)
    train, _ = sides([len(texts[name].encode()) + 1 for name in sorted(texts)], 0)
    expected = set("\0".join(texts[sorted(texts)[i]] for i in train).encode())
    data = made()
    assert data["byte"].values.tolist() == [*sorted(expected), 0x1A]
    assert data.attrs["vocabulary"] == len(data["byte"])
    assert data.attrs["end_of_document"] == data["byte"].values.tolist().index(0)
    assert data["token"].values.max() < data.attrs["vocabulary"]


def test_a_byte_that_training_never_sees_is_the_last_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, test = sides([101] * 10, 0)
    topics = {f"t{i}": f"{i}" * 100 for i in range(10)}
    topics[f"t{test[0]}"] = "é" * 50
    monkeypatch.setattr(documentation, "topics", topics)
    data = made(context=9, train=60, test=10)
    assert read_back(data, Split.TEST) == b"\x1a" * 100
    assert set(stream(data, Split.TEST)) == {data.attrs["vocabulary"] - 1}
    assert b"\x1a" not in read_back(data, Split.TRAIN)


def test_documents_come_in_the_order_that_was_drawn() -> None:
    texts = without_repetitions(TOPICS)
    drawn = sides([len(texts[name].encode()) + 1 for name in sorted(texts)], 0)
    data = made()
    for split, order in zip(Split, drawn, strict=True):
        places = [order.index(number) for number in side(data, split)["document"].values]
        assert places == sorted(places)


def test_neither_length_nor_number_of_windows_moves_a_document() -> None:
    plain, other = made(), made(context=16, train=101, test=37, keep=53)
    assert plain["byte"].identical(other["byte"])
    for split in Split:
        text = read_back(made(context=16, train=101, test=37), split)
        assert read_back(plain, split).startswith(text)
    assert read_back(plain, Split.TEST).startswith(read_back(other, Split.TEST))


def test_some_of_the_training_windows_are_kept() -> None:
    data, kept = made(), made(keep=101)
    chosen = side(kept, Split.TRAIN)["sample"].values
    assert len(set(chosen)) == 101
    assert np.all(np.diff(chosen) > 0)
    assert kept.drop_attrs().identical(data.sel(sample=kept["sample"]).drop_attrs())
    assert np.array_equal(side(kept, Split.TEST)["sample"], side(data, Split.TEST)["sample"])
    fewer = side(made(keep=53), Split.TRAIN)["sample"].values
    assert set(fewer) < set(chosen)
    assert made(keep=TRAIN).drop_attrs().identical(data.drop_attrs())


def test_another_seed_draws_another_split() -> None:
    first, second = made(), made(split_seed=1)
    assert not np.array_equal(stream(first, Split.TEST), stream(second, Split.TEST))


@pytest.mark.parametrize(("name", "split"), [("train", Split.TRAIN), ("test", Split.TEST)])
def test_more_windows_than_there_are_is_refused_with_their_number(name: str, split: Split) -> None:
    with pytest.raises(CorpusError) as refusal:
        made(**{name: 10**6})
    said = re.fullmatch(
        rf"pydoc: {name}: got 1000000; allowed: at most (\d+), the windows of 61 bytes on this "
        r"side of the split",
        str(refusal.value),
    )
    assert said
    most = int(said[1])
    assert side(made(**{name: most}), split).sizes["sample"] == most
    with pytest.raises(CorpusError):
        made(**{name: most + 1})


def test_the_documentation_of_this_python_is_known_by_its_checksum() -> None:
    data = made()
    assert data.attrs["corpus_sha256"] == SHA256
    assert data.attrs["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert data.drop_attrs().identical(made(sha256=SHA256.upper()).drop_attrs())


def test_the_documentation_of_another_python_is_refused_in_one_line() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    expected = rf"^pydoc: sha256: got {SHA256}, the .* of Python {version}; allowed: {'0' * 64}, "
    with pytest.raises(CorpusError, match=expected) as refusal:
        made(sha256="0" * 64)
    assert len(str(refusal.value).splitlines()) == 1


def step(folder: Path, spec: Pydoc, hash_seed: str) -> subprocess.CompletedProcess[str]:
    """The rule's own command, in a project folder."""
    job = DataJob(name="manual", spec=spec).model_dump_json()
    command = ["step", "data", "--job", job, "--output", "data/manual.json"]
    folder.mkdir()
    return subprocess.run(
        [sys.executable, "-m", "phasezoo", *command],
        cwd=folder,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_step_makes_the_same_store_again(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        done = step(tmp_path / seed, spec_of(keep=997), seed)
        assert done.returncode == 0, done.stderr
    first, second = ((tmp_path / seed / "data/manual.json").read_text() for seed in ("1", "2"))
    assert first == second
    with xr.open_zarr(tmp_path / "1/data/manual.zarr") as data:
        assert data.load().identical(made(keep=997))


def test_the_step_refuses_another_python_and_makes_nothing(tmp_path: Path) -> None:
    done = step(tmp_path / "a", spec_of(sha256="0" * 64), "1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("pydoc: sha256: got ")
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "a/data").iterdir()) == []
