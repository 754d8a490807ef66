"""Windows of OpenWebText hold the tokens of its first documents, each on one side."""

from __future__ import annotations

import logging
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from data.texts import END, SYMBOLS, archive, encoded, served, sha256, side, stream, vocabulary
from phasezoo.data.corpus import CorpusError
from phasezoo.data.download import DownloadError, kept_at
from phasezoo.data.labelled import labelled
from phasezoo.data.openwebtext import on_test_side
from phasezoo.data.text_tokens import MERGES, WebFile, gpt2_encoding
from phasezoo.data.text_tokens import SYMBOLS as SYMBOLS_FILE
from phasezoo.spec.text import OPENWEBTEXT_SHA256, OPENWEBTEXT_URL, OpenWebText
from phasezoo.vocabulary import Split

LENGTH, TRAIN, TEST = 17, 601, 31
WORDS = ["the", "other", "an", "thousand", "café", "naïve", "中文", "🙂", "it's", "1,797", "\n\n"]


def texts(count: int, seed: int = 0) -> list[str]:
    """Texts of up to 60 words, with accents, signs and empty lines."""
    drawn = random.Random(seed)
    return [
        " ".join(drawn.choices(WORDS, k=drawn.randint(3, 60))) + f" {number}"
        for number in range(count)
    ]


SUBSETS = texts(53, 1), texts(61, 2), texts(47, 3)
GOOD = archive(*SUBSETS)


def spec_of(url: str, content: bytes = GOOD, **changes: Any) -> OpenWebText:
    given: dict[str, Any] = {"source": "openwebtext", "recipe": 1, "context": LENGTH - 1}
    given |= {"train": TRAIN, "test": TEST, "split_seed": 0, "url": url, "sha256": sha256(content)}
    return OpenWebText.model_validate(given | changes)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a data set of an archive on the web."""

    def make(content: bytes = GOOD, **changes: Any) -> xr.Dataset:
        with served(content, tmp_path / "cache", monkeypatch) as url:
            return labelled(spec_of(url, content, **changes))

    return make


def read_in_order(split: Split, split_seed: int = 0) -> list[tuple[int, str]]:
    """Number and text of the documents of a side."""
    everything = [text.strip() for subset in SUBSETS for text in subset]
    tested = split == Split.TEST
    return [
        (n, text) for n, text in enumerate(everything) if on_test_side(text, split_seed) == tested
    ]


@pytest.mark.parametrize(("split", "windows"), [(Split.TRAIN, TRAIN), (Split.TEST, TEST)])
def test_windows_hold_the_documents_one_after_the_other(
    made: Any, split: Split, windows: int
) -> None:
    data = made()
    tokens: list[int] = []
    owners: list[int] = []
    for number, text in read_in_order(split):
        own = [*encoded(text), END]
        tokens += own
        owners += [number] * len(own)
    found = side(data, split)
    assert np.array_equal(stream(data, split), tokens[: windows * LENGTH])
    assert np.array_equal(found["document"].values, owners[: windows * LENGTH : LENGTH])
    assert dict(found.sizes) == {"sample": windows, "position": LENGTH}


@pytest.mark.parametrize("split", list(Split))
def test_tokens_are_read_back_as_the_texts(made: Any, split: Split) -> None:
    pieces = b"".join(
        b"\0" if token == END else SYMBOLS[token] for token in stream(made(), split)
    ).split(b"\0")
    assert len(pieces) > 3
    expected = [text.encode() for _, text in read_in_order(split)]
    assert pieces[:-1] == expected[: len(pieces) - 1]
    assert expected[len(pieces) - 1].startswith(pieces[-1])


def test_no_document_is_on_both_sides(made: Any) -> None:
    data = made()
    train, test = (set(side(data, split)["document"].values) for split in Split)
    assert not train & test


def test_equal_documents_are_on_one_side(made: Any) -> None:
    content = archive(*[texts(67, 5)] * 3)
    data = made(content, test=11)
    train, test = (side(data, split)["document"].values % 67 for split in Split)
    assert not set(train) & set(test)


def test_one_document_of_ten_is_tested_on() -> None:
    drawn = [on_test_side(text, seed) for seed in range(3) for text in map(str, range(3000))]
    assert stats.binomtest(sum(drawn), len(drawn), 0.1).pvalue > 1e-3  # passes always or never


def test_the_split_follows_from_its_seed_only(made: Any) -> None:
    plain = made()
    again = made()
    again.attrs |= {name: plain.attrs[name] for name in ("spec", "references")}  # another port
    assert plain.identical(again)
    fewer = made(train=53, test=5)
    for split, windows in ((Split.TRAIN, 53), (Split.TEST, 5)):
        expected = side(plain, split)["token"].values[:windows]
        assert np.array_equal(side(fewer, split)["token"].values, expected)
    other = made(split_seed=1)
    assert not np.array_equal(stream(plain, Split.TEST), stream(other, Split.TEST))


def test_some_of_the_training_windows_are_kept(made: Any) -> None:
    data, kept = made(), made(keep=43)
    chosen = side(kept, Split.TRAIN)["sample"].values
    assert len(set(chosen)) == 43
    assert np.all(np.diff(chosen) > 0)
    assert chosen.max() < TRAIN
    expected = data.sel(sample=kept["sample"])
    assert np.array_equal(kept["token"], expected["token"])
    assert np.array_equal(kept["document"], expected["document"])
    assert side(kept, Split.TEST).drop_attrs().identical(side(data, Split.TEST).drop_attrs())


def test_a_data_set_says_what_it_is(made: Any) -> None:
    data = made()
    assert data["token"].dtype == np.uint16
    assert data["document"].dtype == data["sample"].dtype == np.int32
    assert data.attrs["kind"] == "text"
    assert data.attrs["vocabulary"] == END + 1
    assert data.attrs["end_of_document"] == END
    assert data.attrs["title"] == "Texts of my%20set.npz"  # not the published archive
    assert "byte" not in data


def test_no_more_of_the_archive_is_read_than_is_needed(made: Any) -> None:
    content = archive(*SUBSETS, [b"caf\xe9"])  # refused if it were read
    assert np.array_equal(made(content)["token"], made()["token"])


@pytest.mark.parametrize(("name", "wanted"), [("train", 5000), ("test", 500)])
def test_too_little_text_is_said_with_what_there_is(made: Any, name: str, wanted: int) -> None:
    split = Split.TRAIN if name == "train" else Split.TEST
    tokens = sum(len(encoded(text)) + 1 for _, text in read_in_order(split))
    most = tokens // LENGTH
    with pytest.raises(CorpusError, match=rf"{name}: got {wanted}; allowed: at most {most}, the"):
        made(**{name: wanted})
    assert side(made(**{name: most}), split).sizes["sample"] == most


def test_a_wrong_checksum_is_refused_and_the_file_removed(made: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=rf"got sha256 {sha256(GOOD)}; allowed: {'0' * 64}"):
        made(sha256="0" * 64)
    assert not list((tmp_path / "cache").glob("0000*npz"))


def test_files_brought_by_hand_need_no_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [f"https://nowhere.invalid/{name}" for name in ("vocab.bpe", "encoder.json", "t.tar.xz")]
    files = [*vocabulary(), GOOD]
    for url, content in zip(urls, files, strict=True):
        kept_at(url, sha256(content), tmp_path).write_bytes(content)
    small = [WebFile(url, sha256(file)) for url, file in zip(urls[:2], files[:2], strict=True)]
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "phasezoo.data.openwebtext.gpt2_encoding", lambda folder: gpt2_encoding(folder, *small)
    )
    assert labelled(spec_of(urls[2])).sizes["sample"] == TRAIN + TEST
    assert len(list(tmp_path.iterdir())) == 3


def test_the_page_on_texts_names_the_files_to_bring_by_hand() -> None:
    page = (Path(__file__).parents[2] / "docs/text.md").read_text(encoding="utf-8")
    published = WebFile(OPENWEBTEXT_URL, OPENWEBTEXT_SHA256)
    for file in (published, MERGES, SYMBOLS_FILE):
        name = kept_at(file.url, file.sha256, Path()).name
        assert re.search(rf"`{name}` .* \| {file.url} \| `{file.sha256}` \|", page), name


def test_the_encoding_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "other"))
    folder = tmp_path / "kept"
    folder.mkdir()
    small = [WebFile(f"https://nowhere.invalid/{n}", sha256(f)) for n, f in enumerate(vocabulary())]
    for file, content in zip(small, vocabulary(), strict=True):
        kept_at(file.url, file.sha256, folder).write_bytes(content)
    encoding = gpt2_encoding(folder, *small)
    assert encoding.n_vocab == END + 1
    assert encoding.decode_bytes([*encoding.encode_ordinary("the <|endoftext|>")]) == (
        b"the <|endoftext|>"  # in a text it is text
    )
    assert not (tmp_path / "other").exists()


def test_progress_is_said_in_tenths(made: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "phasezoo"):
        made(train=601)
    lines = [line for line in caplog.messages if "training windows" in line]
    assert lines
    assert all("of 601 training windows" in line for line in lines)
