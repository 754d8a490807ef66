"""One bit that changed in each of some files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from faults.conftest import Told
from faults.study import FOLDERS, Study
from phasezoo.store.manifest import IGNORED

pytestmark = [pytest.mark.workflow]


def chosen(study: Study, count: int, chance: random.Random) -> list[Path]:
    """Files of all folders, none of them a second name of another."""
    by_inode: dict[int, Path] = {}
    for folder in FOLDERS:
        for path in sorted((study.root / folder).rglob("*")):
            if path.is_file() and path.name != IGNORED and path.stat().st_size:
                by_inode.setdefault(path.stat().st_ino, path)
    found = [p.relative_to(study.root) for p in by_inode.values()]
    chance.shuffle(found)
    every = [next(p for p in found if p.parts[0] == folder) for folder in FOLDERS]
    rest = [path for path in found if path not in every]
    return [study.root / path for path in [*every, *rest][:count]]


def flip(path: Path, chance: random.Random) -> None:
    """Change one bit in place, so that every name of the file shows it."""
    with path.open("r+b") as file:
        place = chance.randrange(path.stat().st_size)
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def artefact(study: Study, path: Path) -> str:
    """The name under which a file is checked."""
    name = path.relative_to(study.root).as_posix()
    store, inside, _ = name.partition(".zarr/")
    return f"{store}.json" if inside else name.removesuffix(".sha256")


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.long) for s in (1, 2))])
def test_every_flipped_bit_is_found_and_mended(
    oracle: Study, tmp_path: Path, long: bool, told: Told, seed: int
) -> None:
    chance = random.Random(f"flips {seed}")
    study = oracle.copy(tmp_path / "study")
    spoilt = chosen(study, 20 if long else 5, chance)
    for path in spoilt:
        flip(path, chance)
    code, answer = study.verified()
    named = {f["path"] for f in answer["findings"] if f["state"] == "altered"}
    missed = [path for path in spoilt if artefact(study, path) not in named]
    assert missed == []
    assert code == 1
    _, answer = study.verified("--mend")
    assert named <= set(answer["removed"])
    if not long:
        assert study.planned()
        return
    again = 0
    while again < 3 and study.planned():
        study.make()
        again += 1
    study.check_whole(oracle)
    made = sum((oracle.root / path.relative_to(study.root)).stat().st_size for path in spoilt)
    found = f"{len(spoilt)} of {len(spoilt)} named; {made} bytes made again in {again} runs"
    told(f"{len(spoilt)} flipped bits", found, "NAME: altered ...; --mend removes", 0)
