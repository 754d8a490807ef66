"""Pictures of letters, drawn from the outlines of the fonts that travel with Matplotlib.

A pixel is the share of it that the letter covers, counted on a fixed grid of points: no rasteriser
of a library takes part, whose versions draw in other greys.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from itertools import product
from pathlib import Path as FilePath
from string import ascii_uppercase

import matplotlib
import numpy as np
import torch
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path
from numpy.typing import NDArray

from phasezoo import rng
from phasezoo.spec.letters import Letters

__all__ = ["CAPITALS", "FONTS", "checksums", "coverage", "drawn", "outline"]

CAPITALS = ascii_uppercase
_STYLES = {
    "Sans": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "SansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "Serif": ("", "-Bold", "-Italic", "-BoldItalic"),
}
FONTS = tuple(f"DejaVu{family}{style}.ttf" for family, of in _STYLES.items() for style in of)
FILLED = 7 / 8  # of the side of an image, by the longer side of a letter that is not disturbed
_ACROSS = 8  # points of a pixel across, and as many down

Edges = NDArray[np.float64]  # [E, 2, 2]: directed lines from (x, y) to (x, y)


def drawn(spec: Letters) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Every letter in every face as often as the spec says.

    Returns:
        images [N, 1, S, S], from 0 (none) to `spec.grey` (all of a pixel is covered), and the
        places of their letters in the alphabet [N].
    """
    letters, copies = CAPITALS[: spec.letters], range(spec.copies)
    images = [_picture(spec, *what) for what in product(letters, FONTS, copies)]
    each = len(FONTS) * spec.copies
    labels = np.repeat(np.arange(spec.letters, dtype=np.int64), each)
    return np.stack(images)[:, None], labels


def checksums() -> dict[str, str]:
    """Sha256 of the font files."""
    return {name: hashlib.sha256(_file(name).read_bytes()).hexdigest() for name in FONTS}


def _picture(spec: Letters, letter: str, font: str, copy: int) -> NDArray[np.uint8]:
    """One picture [S, S], disturbed by numbers that are drawn by its name."""
    chance = rng.generator("letters", spec.seed, letter, font, copy)
    tilt, zoom, *shift = (2 * torch.rand(4, generator=chance, dtype=torch.float64) - 1).tolist()
    angle = math.radians(spec.tilt * tilt)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    scale = FILLED * spec.size * (1 + spec.zoom * zoom)
    moved = outline(font, letter) @ turn.T * scale + np.array(shift) * spec.shift
    return np.rint(spec.grey * coverage(moved, spec.size)).astype(np.uint8)


@cache
def outline(font: str, letter: str) -> Edges:
    """The outline of a letter, centred on 0, y upwards; its longer side is 1."""
    face = FT2Font(str(_file(font)))
    face.set_size(1000, 72)
    face.load_char(ord(letter), flags=LoadFlags.NO_HINTING)
    polygons = Path(*face.get_path()).to_polygons()
    points = np.concatenate(polygons)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, side = (low + high) / 2, (high - low).max()
    return np.concatenate([_edges((polygon - middle) / side) for polygon in polygons])


def _edges(polygon: NDArray[np.float64]) -> Edges:
    return np.stack([polygon, np.roll(polygon, -1, axis=0)], axis=1)


def coverage(edges: Edges, size: int) -> NDArray[np.float64]:
    """The share of each pixel [S, S] that lies inside an outline; row 0 is the top.

    A point is inside where the outline winds around it, which is the rule of TrueType: the lines
    that cross the ray to its right, counted by direction, do not cancel out.
    """
    places = (np.arange(size * _ACROSS) + 0.5) / _ACROSS - size / 2
    winding = _winding(edges, places, places[::-1])
    inside = (winding != 0).reshape(size, _ACROSS, size, _ACROSS)
    found: NDArray[np.float64] = inside.mean(axis=(1, 3))
    return found


def _winding(
    edges: Edges, across: NDArray[np.float64], down: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Winding numbers of an outline around points, [rows, columns]."""
    (x0, y0), (x1, y1) = edges[:, 0].T, edges[:, 1].T
    y = down[:, None]
    upwards, downwards = (y0 <= y) & (y1 > y), (y1 <= y) & (y0 > y)  # [rows, E]
    level = np.where(y1 == y0, 1.0, y1 - y0)
    crossing = x0 + (y - y0) / level * (x1 - x0)
    right = crossing[:, None] > across[:, None]  # [rows, columns, E]
    direction = upwards.astype(np.int64) - downwards
    found: NDArray[np.int64] = np.einsum("rce,re->rc", right.astype(np.int64), direction)
    return found


def _file(name: str) -> FilePath:
    return FilePath(matplotlib.get_data_path()) / "fonts/ttf" / name
