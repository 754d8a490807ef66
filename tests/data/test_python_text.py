"""Text classification from the text of Python: what is asked, of which text, and on which side."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo.data.corpus import CorpusError
from phasezoo.data.labelled import labelled
from phasezoo.data.python_text.documents import documents
from phasezoo.data.python_text.families import CHANGES
from phasezoo.data.python_text.standard_library import modules
from phasezoo.data.task import task_from
from phasezoo.data.text_pydoc import divided
from phasezoo.spec.labelled_text import CLASSES, MODULE_GROUPS, PythonText
from phasezoo.spec.text import Pydoc
from phasezoo.vocabulary import Split

DOMAINS, FAMILIES = ("help", "docstrings", "code"), ("order", "spelling", "follows", "source")
LENGTH = 61


def spec_of(family: str = "order", domain: str = "help", **changes: Any) -> PythonText:
    given = {"source": "python-text", "recipe": 1, "family": family, "domain": domain}
    given |= {"context": LENGTH, "train": 404, "test": 104, "split_seed": 0}
    return PythonText.model_validate(given | changes)


def texts(data: xr.Dataset, split: Split, label: int | None = None) -> list[bytes]:
    rows = data["split"].values == split
    if label is not None:
        rows &= data["label"].values == label
    return [row.tobytes() for row in data["byte"].values[data["token"].values[rows]]]


def words(text: str) -> str:
    return " ".join(text.split())


def paragraphs(text: str) -> set[str]:
    return {words(p) for p in text.split("\n\n") if p.strip()}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("split_seed", [0, 1])
def test_no_paragraph_is_in_two_documents_nor_in_the_pre_training_corpus(
    domain: Any, split_seed: int
) -> None:
    found = documents(domain, split_seed)
    manual = divided(split_seed)
    own = [paragraphs(d.text) for d in found.documents]
    assert sum(map(len, own)) == len(set().union(*own))
    if domain == "help":
        names = list(manual.texts)
        assert {d.name for d in found.documents if d.side is Split.TEST} == {
            names[number] for number in manual.test
        }
    else:
        assert not set().union(*own) & set().union(*map(paragraphs, manual.texts.values()))


def test_docstrings_and_code_share_their_sides_and_no_paragraph() -> None:
    one, other = documents("docstrings", 3), documents("code", 3)
    side = {d.name: d.side for d in other.documents}
    assert all(side[d.name] is d.side for d in one.documents if d.name in side)
    text = [set().union(*(paragraphs(d.text) for d in of.documents)) for of in (one, other)]
    assert not text[0] & text[1]


def test_a_fifth_of_each_group_of_modules_is_tested_on() -> None:
    for group in range(len(MODULE_GROUPS)):
        of = [d for d in documents("code", 0).documents if d.group == group]
        sizes = {s: sum(modules()[d.name].size for d in of if d.side is s) for s in Split}
        assert 0.17 < sizes[Split.TEST] / sum(sizes.values()) <= 0.2


def test_docstrings_are_read_without_importing_and_code_has_none_left() -> None:
    import textwrap

    module = modules()["textwrap.py"]
    assert textwrap.__doc__ is not None
    assert words(textwrap.__doc__) in words(module.docstrings)
    assert textwrap.dedent.__doc__ is not None
    assert words(textwrap.dedent.__doc__) in words(module.docstrings)
    assert words(textwrap.dedent.__doc__) not in words(module.code)
    assert "def dedent(text):" in module.code
    assert module.size == Path(ast.__file__).with_name("textwrap.py").stat().st_size


def test_a_standard_library_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"python-text: got no .*asyncio\.py; allowed: a whole"):
        modules(tmp_path)


WINDOWS = [
    b"the quick brown fox jumps over the lazy dog and runs away",
    b"    def changed(self, window):\n        return window[::-1]",
    b"one one one one one one one one",
    b"a b c",
]


@pytest.mark.parametrize("window", WINDOWS)
def test_order_moves_words_and_leaves_the_bytes(window: bytes) -> None:
    change, chance = CHANGES["order"], np.random.default_rng(0)
    inner = window.split()[1:-1]
    assert change.can(window) == (len(inner) >= 4 and len(set(inner)) > 1)
    if change.can(window):
        for _ in range(20):
            got = change.changed(window, [], chance)
            assert got != window
            assert sorted(got.split()) == sorted(window.split())
            assert (got.split()[0], got.split()[-1]) == (window.split()[0], window.split()[-1])
            assert re.findall(rb"\s+", got) == re.findall(rb"\s+", window)


@pytest.mark.parametrize("window", WINDOWS)
def test_spelling_exchanges_neighbours_within_every_longer_word(window: bytes) -> None:
    change, chance = CHANGES["spelling"], np.random.default_rng(0)
    long = [w for w in re.findall(rb"[A-Za-z]{4,}", window) if len(set(w[1:-1])) > 1]
    assert change.can(window) == (len(long) >= 3)
    if change.can(window):
        for _ in range(20):
            got = change.changed(window, [], chance)
            places = [i for i in range(len(window)) if got[i] != window[i]]
            assert len(places) == 2 * len(long)
            for at in places[::2]:
                assert got[at : at + 2] == window[at : at + 2][::-1]
            of = [re.findall(rb"[A-Za-z]+", text) for text in (got, window)]
            changed = [(a, b) for a, b in zip(*of, strict=True) if a != b]
            assert len(changed) == len(long)
            assert all(a[0] == b[0] and a[-1] == b[-1] for a, b in changed)


def test_follows_takes_the_second_half_of_another_document() -> None:
    chance = np.random.default_rng(0)
    others = [b"abcdEFGH", b"ijklMNOP"]
    got = {CHANGES["follows"].changed(b"xxxxEFGH", others, chance) for _ in range(20)}
    assert got == {b"xxxxMNOP"}  # never what it was


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], xr.Dataset]:
    return {(f, d): labelled(spec_of(f, d)) for f in FAMILIES for d in DOMAINS}


def test_sides_are_balanced_and_each_sample_is_of_a_document_there(
    made: dict[tuple[str, str], xr.Dataset],
) -> None:
    for (_, domain), data in made.items():
        found = documents(domain, 0)  # type: ignore[arg-type]
        names = data.attrs["documents"].split()
        assert names == [d.name for d in found.documents]
        for split, count in ((Split.TRAIN, 404), (Split.TEST, 104)):
            of = data.isel(sample=data["split"].values == split)
            classes = len(data.attrs["classes"].split())
            assert np.bincount(of["label"]).tolist() == [count // classes] * classes
            assert {found.documents[n].side for n in of["document"].values} == {split}


def test_unchanged_windows_are_read_back_in_their_documents_and_changed_ones_are_not(
    made: dict[tuple[str, str], xr.Dataset],
) -> None:
    for (family, domain), data in made.items():
        found = documents(domain, 0)  # type: ignore[arg-type]
        known = data["byte"].values[:-1].tobytes()
        shown = bytes(b if b in known else 0x1A for b in range(256))  # as tokens are read back
        raw = [d.text.encode().translate(shown) for d in found.documents]
        for row in range(60):
            text = data["byte"].values[data["token"].values[row]].tobytes()
            own = raw[data["document"].values[row]]
            asked = family == "source" or data["label"].values[row] == 0
            assert (text in own) == asked


def test_the_groups_are_the_labels_of_source(made: dict[tuple[str, str], xr.Dataset]) -> None:
    for domain in DOMAINS:
        data, found = made["source", domain], documents(domain, 0)  # type: ignore[arg-type]
        groups = [found.documents[n].group for n in data["document"].values]
        assert data["label"].values.tolist() == groups


def test_a_bag_of_bytes_is_of_no_use_for_order_and_spelling(
    made: dict[tuple[str, str], xr.Dataset],
) -> None:
    """A changed window has the bytes of the window: any shift of the mean is chance."""
    for family in ("order", "spelling"):
        windows = texts(made[family, "code"], Split.TRAIN)
        changed = CHANGES[family]  # type: ignore[index]
        chance = np.random.default_rng(1)
        for window in [w for w in windows[::2] if changed.can(w)][:20]:
            assert sorted(changed.changed(window, windows, chance)) == sorted(window)


def test_a_smaller_set_is_the_beginning_of_a_larger_one(
    made: dict[tuple[str, str], xr.Dataset],
) -> None:
    for family, domain in (("order", "help"), ("follows", "help"), ("source", "help")):
        small = labelled(spec_of(family, domain, train=100, test=20))
        large = made[family, domain]
        for split, count in ((Split.TRAIN, 100), (Split.TEST, 20)):
            assert texts(small, split) == texts(large, split)[:count]


def test_no_test_window_is_a_training_window(made: dict[tuple[str, str], xr.Dataset]) -> None:
    for data in made.values():
        train, test = (set(texts(data, split)) for split in Split)
        assert not train & test


def test_tokens_are_those_of_a_corpus_that_a_model_was_pre_trained_on() -> None:
    pydoc = Pydoc(source="pydoc", recipe=1, context=13, train=7, test=5, split_seed=2)
    data = labelled(spec_of("follows", "code", split_seed=2, train=20, test=4))
    assert data["byte"].identical(labelled(pydoc)["byte"])
    assert data["token"].values.max() < data.attrs["vocabulary"] == len(data["byte"])


def test_the_task_is_a_classification_of_tokens(made: dict[tuple[str, str], xr.Dataset]) -> None:
    data = made["source", "code"]
    task = task_from(data, "set", torch.device("cpu"))
    assert task.train_inputs.shape == (404, LENGTH)
    assert task.train_inputs.dtype == task.test_labels.dtype == torch.int64
    assert task.test_labels.tolist() == data["label"].values[404:].tolist()
    assert (task.shape, task.classes, task.vocabulary) == ((LENGTH,), 4, data.attrs["vocabulary"])
    assert task.objective.classifies


@pytest.mark.parametrize("side", ["train", "test"])
def test_more_windows_than_there_are_is_refused_with_their_number(side: str) -> None:
    with pytest.raises(CorpusError) as refusal:
        labelled(spec_of("source", "help", **{side: 10**6}))
    said = re.fullmatch(
        rf"python-text: {side}: got 1000000; allowed: at most (\d+), the windows of 61 bytes on "
        r"this side of the split \(source in help\)",
        str(refusal.value),
    )
    assert said
    assert labelled(spec_of("source", "help", **{side: int(said[1])})).sizes["sample"]


def test_the_text_is_known_by_its_checksum() -> None:
    plain = labelled(spec_of())
    assert (
        labelled(spec_of(sha256=plain.attrs["corpus_sha256"]))
        .drop_attrs()
        .identical(plain.drop_attrs())
    )
    others = [labelled(spec_of(domain=d)).attrs["corpus_sha256"] for d in DOMAINS[1:]]
    assert len({plain.attrs["corpus_sha256"], *others}) == 3
    with pytest.raises(CorpusError, match=r"^python-text: sha256: got [0-9a-f]{64}, the text of P"):
        labelled(spec_of(sha256="0" * 64))


def test_classes_of_changes_are_named_after_what_is_done() -> None:
    assert set(CLASSES) == set(CHANGES)
