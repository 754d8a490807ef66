"""A file is there whole, with its checksum, or not at all; whatever is altered later is found."""

from __future__ import annotations

import json
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from phasezoo.store.whole import (
    AlteredError,
    alone,
    check_file,
    checksum_of,
    draft_of,
    read_json,
    whole,
    write_json,
)

CONTENT = {"b": [1, 2.5, None], "a": {"deep": "text"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deep/some.nc"
    with whole(path) as draft:
        draft.write_bytes(bytes(range(200)))
    return path


def test_a_file_comes_with_the_checksum_that_sha256sum_reads(file: Path) -> None:
    check_file(file)
    done = subprocess.run(
        ["sha256sum", "-c", checksum_of(file).name], cwd=file.parent, capture_output=True, text=True
    )
    assert done.stdout == "some.nc: OK\n"


def test_any_bit_of_the_file_or_its_checksum_is_minded(file: Path) -> None:
    chance = random.Random(0)
    for path in (file, checksum_of(file)):
        right = path.read_bytes()
        for _ in range(20):
            wrong = bytearray(right)
            wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
            path.write_bytes(wrong)
            with pytest.raises(AlteredError, match=r"some\.nc"):
                check_file(file)
        path.write_bytes(right)
    check_file(file)


def test_a_file_without_a_checksum_is_not_trusted(file: Path) -> None:
    checksum_of(file).unlink()
    with pytest.raises(AlteredError, match="no readable checksum"):
        check_file(file)


def test_what_fails_leaves_the_file_of_before(file: Path) -> None:
    before = file.read_bytes()

    def fails() -> None:
        with whole(file) as draft:
            draft.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert file.read_bytes() == before
    assert sorted(p.name for p in file.parent.iterdir()) == ["some.nc", "some.nc.sha256"]
    check_file(file)


def test_any_bit_of_sealed_json_is_minded(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, CONTENT)
    assert read_json(path) == CONTENT
    right = path.read_bytes()
    for position in range(len(right)):
        for bit in (0, 5):  # 5 turns capitals into small letters, which JSON may read all the same
            wrong = bytearray(right)
            wrong[position] ^= 1 << bit
            path.write_bytes(wrong)
            with pytest.raises(AlteredError):
                read_json(path)


def test_json_is_sorted_and_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_json(path, CONTENT)
    assert list(json.loads(path.read_text())) == ["a", "b", "seal"]
    before = path.read_bytes()

    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_json(path, {"a": 3})
    assert path.read_bytes() == before
    assert not draft_of(path).exists()


def test_one_process_writes_an_artefact_and_its_death_lets_the_next(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    code = (
        "import sys, time; from pathlib import Path; from phasezoo.store.whole import alone\n"
        f"with alone(Path({str(target)!r})): print('in', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "in\n"
    waiting = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    assert not select.select([waiting.stdout], [], [], 2)[0]
    holder.send_signal(signal.SIGKILL)
    assert waiting.stdout.readline() == "in\n"
    waiting.kill()
    for process in (holder, waiting):
        process.wait()
        process.stdout.close()
    with alone(tmp_path / "another.json"):
        pass
