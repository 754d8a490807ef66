"""The sets of GLUE from files in the form of their authors, small, served on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import xarray as xr

from data.server import Server, whole
from data.texts import PRINTED, SYMBOLS, vocabulary
from phasezoo.data.archive import ArchiveError
from phasezoo.data.checksum import of_text
from phasezoo.data.extra import ExtraError
from phasezoo.data.glue import dataset, sets, tokens
from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.data.vision.files import File
from phasezoo.spec import glue as spec

CONTEXT = 16
# Of each set: a table to train on, one to test on, and the texts and labels in both. Quotes are
# text; a row that is torn has fewer columns.
COLA = (
    'gj04\t0\t*\tThey the "book.\ngj04\t1\t\tThe oven then.\nbc01\t1\t\tHere.\nbc01\t0\t*\tHe an.\n'
)
PAIR = "index\tsentence1\tsentence2\tlabel\n"
MNLI = "index\tgenre\tsentence1\tsentence2\tlabel1\tgold_label\n"
DEV = "index\tgenre\tsentence1\tsentence2\tlabel1\tlabel2\tgold_label\n"
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
TABLES: dict[str, tuple[str, str]] = {
    "cola": (COLA, "ks08\t1\t\tThen.\nks08\t0\t*\tOver.\n"),
    "sst2": ("sentence\tlabel\nthe best \t1\nthe other\t0\n", "sentence\tlabel\nbother \t0\n"),
    "qqp": (
        f'{QQP}1\t3\t4\tthe one?\tan other?\t0\n2\t5\t6\ttorn off\n3\t7\t8\t"then\tover\t1\n',
        f"{QQP}9\t1\t2\there?\tthere?\t1\n",
    ),
    "mnli": (
        f"{MNLI}0\ttravel\tthe one\tan other\tneutral\tneutral\n"
        "1\tfiction\there\tthere\tentailment\tentailment\n"
        "2\tfiction\tthen\tnever\tneutral\tcontradiction\n",
        f"{DEV}0\ttravel\tover\tunder\tneutral\tneutral\tcontradiction\n",
    ),
    "qnli": (
        "index\tquestion\tsentence\tlabel\n0\tthe one?\tan other\tnot_entailment\n"
        "1\twhen?\tthen\tentailment\n",
        "index\tquestion\tsentence\tlabel\n0\twhere?\there\tentailment\n",
    ),
    "rte": (
        f"{PAIR}0\tthe one\tan other\tnot_entailment\n1\there\tthere\tentailment\n",
        f"{PAIR}0\tthen\tthe then\tentailment\n",
    ),
    "wnli": (f"{PAIR}0\tthe one\tan other\t0\n1\there\tthere\t1\n", f"{PAIR}0\tthen\tthe\t1\n"),
}
TABLES["mnli-mismatched"] = TABLES["mnli"]
MRPC = (
    "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
    '1\t702876\t702977\tThe one "said\tThe other\r\n'
    "0\t2108705\t2108831\tThere\tThen\r\n"
    "1\t1330381\t1330521\tHere\tOver\r\n"
)
EXPECTED: dict[str, tuple[list[tuple[tuple[str, ...], int]], list[tuple[tuple[str, ...], int]]]] = {
    "cola": (
        [(('They the "book.',), 0), (("The oven then.",), 1), (("Here.",), 1), (("He an.",), 0)],
        [(("Then.",), 1), (("Over.",), 0)],
    ),
    "sst2": ([(("the best ",), 1), (("the other",), 0)], [(("bother ",), 0)]),
    "mrpc": (
        [(('The one "said', "The other"), 1), (("Here", "Over"), 1)],
        [(("There", "Then"), 0)],
    ),
    "qqp": (
        [(("the one?", "an other?"), 0), (('"then', "over"), 1)],
        [(("here?", "there?"), 1)],
    ),
    "mnli": (
        [(("the one", "an other"), 1), (("here", "there"), 0), (("then", "never"), 2)],
        [(("over", "under"), 2)],
    ),
    "qnli": ([(("the one?", "an other"), 1), (("when?", "then"), 0)], [(("where?", "here"), 0)]),
    "rte": ([(("the one", "an other"), 1), (("here", "there"), 0)], [(("then", "the then"), 0)]),
    "wnli": ([(("the one", "an other"), 0), (("here", "there"), 1)], [(("then", "the"), 1)]),
}
EXPECTED["mnli-mismatched"] = EXPECTED["mnli"]


def packed(name: str) -> dict[str, bytes]:
    """The files of a set by name."""
    about = sets.SETS[name]
    if name == "mrpc":
        ids = "2108705\t2108831\n"
        return {about.files[0].name: MRPC.encode(), about.files[1].name: ids.encode()}
    train, test = TABLES[name]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{about.folder}/train.tsv", train)
        archive.writestr(f"{about.folder}/{about.test}", test)
        archive.writestr(f"{about.folder}/test.tsv", "no labels here\n")
    return {about.files[0].name: out.getvalue()}


def encoding_files() -> tuple[bytes, bytes]:
    """`vocab.json` and `merges.txt` of a small vocabulary, numbered as RoBERTa numbers its own."""
    merges, numbered = vocabulary()
    special = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    plain = [symbol for symbol in json.loads(numbered) if symbol != "<|endoftext|>"]
    numbers = special | {symbol: 4 + place for place, symbol in enumerate(reversed(plain))}
    return json.dumps(numbers | {"<mask>": len(numbers)}).encode(), merges


Serve = Callable[[str, Mapping[str, bytes] | None], None]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    pytest.importorskip("tokenizers")
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path))
    with ExitStack() as stack:

        def file(name: str, content: bytes) -> File:
            url = stack.enter_context(Server(whole(content))).url
            digest = hashlib.sha256(content).hexdigest()
            return File(name, len(content), digest, (url.rpartition("/")[0] + "/",))

        def served(name: str, contents: Mapping[str, bytes] | None = None) -> None:
            files = tuple(file(*item) for item in (contents or packed(name)).items())
            monkeypatch.setitem(sets.SETS, name, replace(sets.SETS[name], files=files))
            train, test = EXPECTED[name]
            numbers = replace(spec.SETS[name], train=len(train), test=len(test))
            monkeypatch.setitem(spec.SETS, name, numbers)
            symbols, merges = encoding_files()
            found = file("vocab.json", symbols), file("merges.txt", merges)
            monkeypatch.setattr(
                dataset, "roberta_encoding", lambda at: tokens.roberta_encoding(at, *found)
            )

        yield served


def made(name: str, **changes: Any) -> xr.Dataset:
    given = {"source": "glue", "set": name, "recipe": 1, "context": CONTEXT}
    return labelled(spec.Glue.model_validate(given | changes))


def bytes_of(ids: list[int]) -> bytes:
    """What tokens of the small vocabulary stand for."""
    return b"".join(SYMBOLS[len(SYMBOLS) - 1 - (i - 4)] for i in ids)


def read_back(row: list[int]) -> tuple[str, ...]:
    """The texts of a row of tokens, whose frame is checked."""
    end = max(place for place, token in enumerate(row) if token == 2)
    assert row[0] == 0
    assert set(row[end + 1 :]) <= {1}
    parts: list[list[int]] = [[]]
    for token in row[1:end]:
        parts.append([]) if token == 2 else parts[-1].append(token)
    assert len(parts) in (1, 3)
    assert parts[1:2] in ([], [[]])  # two ends between a pair
    return tuple(bytes_of(part).decode() for part in parts[::2])


@pytest.mark.parametrize("name", spec.SETS)
def test_texts_and_labels_are_those_of_the_tables(name: str, serve: Serve) -> None:
    serve(name, None)
    data = made(name, context=48)
    rows, labels = data["token"].values.tolist(), data["label"].values.tolist()
    found = [(read_back(row), label) for row, label in zip(rows, labels, strict=True)]
    train, test = EXPECTED[name]
    assert found == [*train, *test]
    assert data["split"].values.tolist() == [0] * len(train) + [1] * len(test)
    task = task_from(data, name, torch.device("cpu"))
    assert (task.classes, task.vocabulary) == (len(spec.SETS[name].classes), len(SYMBOLS) + 5)
    assert len(PRINTED) < task.vocabulary


def test_the_longer_text_of_a_pair_is_cut(serve: Serve) -> None:
    serve("rte", None)
    row = made("rte", context=9)["token"].values[0].tolist()
    first, second = read_back(row)
    assert len(row) == 9
    assert "the one".startswith(first)
    assert "an other".startswith(second)
    assert (first, second) != ("the one", "an other")


def test_a_part_of_the_texts_is_kept_each_class_in_its_share(serve: Serve) -> None:
    serve("cola", None)
    data, part = made("cola"), made("cola", keep=2)
    assert sorted(part["label"].values[:2].tolist()) == [0, 1]
    assert part.drop_attrs().identical(data.sel(sample=part["sample"]).drop_attrs())


def test_a_file_with_fewer_texts_than_are_known_is_refused(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("wnli", None)
    monkeypatch.setitem(spec.SETS, "wnli", replace(spec.SETS["wnli"], train=3))
    with pytest.raises(ArchiveError, match=r"glue wnli: train: got 2 texts with a label; allowed"):
        made("wnli")


def altered(table: str) -> dict[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("WNLI/train.tsv", table.encode(errors="surrogateescape"))
        archive.writestr("WNLI/dev.tsv", TABLES["wnli"][1])
    return {"WNLI.zip": out.getvalue()}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (f"{PAIR}0\tthe\tan\t2\n", r"train\.tsv: got the label '2'; allowed: not_entailment, ent"),
        (
            "index\tsentence1\tlabel\n",
            r"train\.tsv: got the columns .*; allowed: a column sentence2",
        ),
        ("\udcff", r"train\.tsv: got .*decode.*; allowed: a table of columns"),
    ],
)
def test_a_table_of_another_form_is_refused_in_one_line(
    table: str, said: str, serve: Serve
) -> None:
    serve("wnli", altered(table))
    with pytest.raises(ArchiveError, match=rf"^glue wnli: WNLI/{said}") as refusal:
        made("wnli")
    assert len(str(refusal.value).splitlines()) == 1


def test_without_the_extra_nothing_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ExtraError, match=r"^glue: got .*; allowed: tokenizers, which `pip install"):
        made("rte")
    assert list(tmp_path.iterdir()) == []


def test_files_have_sizes_checksums_and_addresses() -> None:
    files = [file for about in sets.SETS.values() for file in about.files]
    for file in [*files, tokens.SYMBOLS, tokens.MERGES]:
        assert of_text(file.checksum).digits
        assert file.size > 1000
        assert all(
            folder.startswith("https://") and folder.endswith("/") for folder in file.folders
        )
    assert set(sets.SETS) == set(spec.SETS)
