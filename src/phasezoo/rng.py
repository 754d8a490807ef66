"""Chance by name: every random number is drawn from a generator made from a tuple of names.

Nothing here is global, and nothing depends on the order in which things happen: adding probes to
the Hessian cannot change the order of the training samples.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def seed_of(*names: object) -> int:
    """A 63-bit seed from names: blake2b of their text, joined by an unprintable separator."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def small_seed_of(*names: object) -> int:
    """A 32-bit seed, for libraries that take no more."""
    return seed_of(*names) % 2**32


def generator(*names: object) -> torch.Generator:
    """A CPU generator seeded by `seed_of`.

    It is on the CPU on every device, so that a GPU sees the same initial weights and batches.
    """
    import torch  # here, because what draws in numpy alone starts a second sooner without it

    return torch.Generator().manual_seed(seed_of(*names))
