"""What inputs an architecture takes."""

from __future__ import annotations

from phasezoo.vocabulary import PhasezooError


class ArchitectureError(PhasezooError):
    """An architecture does not fit the inputs of the data."""


def image(architecture: str, shape: tuple[int, ...], least: int = 1) -> tuple[int, int, int]:
    """The shape [C, H, W] of an image whose sides have `least` pixels or more.

    Raises:
        ArchitectureError: the inputs are no such images.
    """
    if len(shape) != 3 or min(shape[1:]) < least:
        allowed = f"images [C, H, W] of at least {least} x {least} pixels"
        raise ArchitectureError(f"{architecture}: got inputs {list(shape)}, allowed are {allowed}")
    channels, height, width = shape
    return channels, height, width


def vector(architecture: str, shape: tuple[int, ...], what: str) -> int:
    """The length N of inputs [N].

    Raises:
        ArchitectureError: the inputs have another shape.
    """
    if len(shape) != 1:
        raise ArchitectureError(f"{architecture}: got inputs {list(shape)}, allowed are {what}")
    return shape[0]
