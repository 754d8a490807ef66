"""Letters are drawn as their outlines say, the same each time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from phasezoo.data.labelled import labelled
from phasezoo.data.letters import CAPITALS, FILLED, FONTS, checksums, coverage, drawn, outline
from phasezoo.spec.letters import FACES, Letters

FOLDER = Path(matplotlib.get_data_path()) / "fonts/ttf"


def spec(**changes: object) -> Letters:
    given = {"source": "letters", "recipe": 1, "letters": 3, "size": 8, "copies": 2, "tilt": 12}
    given |= {"shift": 0.5, "zoom": 0.1, "seed": 0, "train": 31, "split_seed": 0}
    return Letters.model_validate(given | changes)


def polygon(*points: tuple[float, float]) -> np.ndarray:
    corners = np.array(points, dtype=float)
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


def square(half: float) -> np.ndarray:
    return polygon((-half, -half), (half, -half), (half, half), (-half, half))


def test_a_square_covers_the_pixels_within_it() -> None:
    found = coverage(square(2), 7)  # pixels are cut in half: their middles lie on whole numbers
    expected = np.zeros((7, 7))
    expected[1:6, 1:6] = 0.5
    expected[1:6:4, 1:6:4] = 0.25
    expected[2:5, 2:5] = 1
    assert np.array_equal(found, expected)


def test_a_hole_is_what_winds_the_other_way() -> None:
    hole, same = square(1)[:, ::-1], square(1)
    holed, filled = (coverage(np.concatenate([square(3), inner]), 8) for inner in (hole, same))
    assert holed.sum() == 36 - 4
    assert filled.sum() == 36


def test_up_is_up_and_right_is_right() -> None:
    found = coverage(polygon((0, 0), (2, 0), (2, 2), (0, 2)), 4)
    assert np.array_equal(np.argwhere(found == 1), [[0, 2], [0, 3], [1, 2], [1, 3]])


@pytest.mark.parametrize("letter", ["A", "B", "Q", "W", "I"])
@pytest.mark.parametrize("font", [FONTS[0], FONTS[-1]])
def test_undisturbed_they_are_what_another_library_draws(letter: str, font: str) -> None:
    face = ImageFont.truetype(str(FOLDER / font), 800)
    canvas = Image.new("L", (1600, 1600))
    ImageDraw.Draw(canvas).text((200, 200), letter, font=face, fill=255)
    cut = canvas.crop(canvas.getbbox())
    side = round(max(cut.size) / FILLED)
    middle = Image.new("L", (side, side))
    middle.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    expected = np.asarray(middle.resize((11, 11), Image.Resampling.BOX)) / 255
    found = coverage(outline(font, letter) * FILLED * 11, 11)
    assert np.abs(found - expected).max() < 0.1  # 8 points a side, and 1 pixel of 900
    assert np.abs(found - expected).mean() < 0.02


def test_every_letter_is_there_in_every_face_as_often_as_asked() -> None:
    images, labels = drawn(spec())
    assert images.shape == (3 * FACES * 2, 1, 8, 8)
    assert len(FONTS) == FACES
    assert np.array_equal(np.bincount(labels), [24, 24, 24])
    assert images.max() == 16
    assert (images.reshape(len(images), -1).sum(axis=1) > 50).all()
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_pictures_are_the_same_each_time_and_more_of_them_leave_the_others() -> None:
    (images, _), (again, _) = drawn(spec()), drawn(spec())
    assert np.array_equal(images, again)
    more, _ = drawn(spec(letters=4, copies=3))
    shared = more.reshape(4, FACES, 3, 8, 8)[:3, :, :2]
    assert np.array_equal(shared, images.reshape(3, FACES, 2, 8, 8))
    other, _ = drawn(spec(seed=1))
    assert not np.array_equal(other, images)


def test_without_disturbance_copies_are_alike() -> None:
    images, _ = drawn(spec(tilt=0, shift=0, zoom=0))
    pairs = images.reshape(-1, 2, 64)
    assert np.array_equal(pairs[:, 0], pairs[:, 1])


def test_the_store_names_the_files_it_was_made_from_and_their_terms() -> None:
    data = labelled(spec())
    files = json.loads(data.attrs["files"])
    assert files == checksums()
    name = FONTS[5]
    assert files[name] == hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    assert data.attrs["license"].startswith("Bitstream Vera licence")
    assert data.attrs["classes"] == "A B C" == " ".join(CAPITALS[:3])
    assert (data["split"].values == 0).sum() == 31
