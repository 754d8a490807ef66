"""A pickle is data here: whatever it asks to be run is named and not run."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.vision.archives import cifar10, cifar_batch, pickled
from phasezoo.data.archive import ArchiveError
from phasezoo.data.vision.cifar import cifar10 as decode
from phasezoo.data.vision.pickles import read_pickle


class Trap:
    """What runs `call(*arguments)` when it is unpickled."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self._asked = call, arguments

    def __reduce__(self) -> Any:
        return self._asked


def sprung(*names: str) -> Any:
    """What a pickle of Python 3 asks for by name, to be called with the name of a folder."""
    module, name = names
    return f"c{module}\n{name}\n(S'sprung'\ntR.".encode()


TRAPS = [
    pytest.param(pickle.dumps(Trap(os.mkdir, "sprung"), version), "mkdir", id=f"protocol {version}")
    for version in range(pickle.HIGHEST_PROTOCOL + 1)
] + [
    pytest.param(pickle.dumps({"data": np.zeros(3), "labels": [Trap(os.mkdir, "sprung")]}),
                 "mkdir", id="beside an array"),
    pytest.param(pickle.dumps(np.array([Trap(os.mkdir, "sprung")], dtype=object)), "mkdir",
                 id="in an array of objects"),
    pytest.param(pickle.dumps(Trap(eval, "__import__('os').mkdir('sprung')")), "eval", id="eval"),
    pytest.param(pickle.dumps(Trap(subprocess.call, ["mkdir", "sprung"])), "subprocess.call",
                 id="a program"),
    pytest.param(sprung("numpy", "load"), "numpy.load", id="another function of numpy"),
    pytest.param(sprung("numpy.core.multiarray", "fromfile"), "multiarray.fromfile",
                 id="another function of the module of arrays"),
    pytest.param(b"\x80\x04\x8c\x05numpy\x8c\x0blinalg.norm\x93.", "numpy.linalg.norm",
                 id="an attribute of an attribute"),
    pytest.param(b"P1\n.", "persistent", id="a persistent object"),
    pytest.param(b"\x80\x02\x82\x01.", "extension", id="an extension code"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "named"), TRAPS)
def test_what_a_pickle_wants_run_is_refused_by_name(
    content: bytes, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchiveError) as refusal:
        read_pickle("data_batch_1", content)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith("data_batch_1: got ")
    assert named in line
    assert line.endswith("allowed: a pickle of arrays, numbers, text, lists and dictionaries")
    assert list(tmp_path.iterdir()) == []


def test_the_traps_work_where_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Trap(os.mkdir, "sprung")))
    assert Path("sprung").is_dir()


def test_a_batch_with_a_trap_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = pickle.dumps(Trap(os.mkdir, "sprung"), 2)
    small = cifar10(lambda members: members.update(data_batch_4=trap))
    files = small.laid_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ArchiveError, match=r"^data_batch_4: got a pickle that asks for \w+\.mkdir;"
    ):
        decode(files, small.numbers)
    assert not Path("sprung").exists()


@pytest.mark.parametrize("write", [pickled, pickle.dumps], ids=["Python 2", "Python 3"])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_arrays_and_plain_values_are_read(write: Callable[[Any], bytes], kind: Any) -> None:
    array = np.arange(42, dtype=kind).reshape(6, 7)
    found = read_pickle("a", write({"data": array, "labels": [1, 2], "name": "three", "n": 4.5}))
    assert found["data"].dtype == kind
    assert np.array_equal(found["data"], array)
    assert (found["labels"], found["name"], found["n"]) == ([1, 2], "three", 4.5)


def test_the_pickles_of_these_tests_are_those_of_python_2() -> None:
    """The first bytes of a real batch, and no name that only newer versions have."""
    content = cifar_batch(np.zeros((2, 3, 1, 1), np.uint8), np.zeros(2), "labels")
    assert content.startswith(b"\x80\x02}q")
    assert b"U\x0bbatch_label" in content
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in content
    assert b"_codecs" not in content
    assert b"_core" not in content


def test_pixels_of_every_value_survive() -> None:
    pixels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(read_pickle("a", pickled({"data": pixels}))["data"], pixels)
