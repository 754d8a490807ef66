"""Which samples of a set something is measured on, in a form that a file can hold."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.vocabulary import SAMPLE, PhasezooError

Set = Literal["train", "test"]
RULE = (
    "sorted(torch.randperm(available, generator=torch.Generator().manual_seed(seed))[:count]), "
    "positions among the samples of the set in the order of the data set"
)


class SampleError(PhasezooError):
    """A variable does not say on which samples it was measured."""


@dataclass(frozen=True)
class Sample:
    """A fixed sample of a set, the same for all models of a data set.

    Attributes:
        set: training or test samples.
        count: how many.
        available: how many the set has.
        seed: of the permutation of the set that they are the first of.
    """

    set: Set
    count: int
    available: int
    seed: int

    @property
    def indices(self) -> Tensor:
        """Their positions in the set, [count] int64, ascending."""
        chance = torch.Generator().manual_seed(self.seed)
        return torch.randperm(self.available, generator=chance)[: self.count].sort().values

    @property
    def text(self) -> str:
        """All of it and the rule as JSON, for an attribute."""
        return json.dumps({**asdict(self), "rule": RULE}, sort_keys=True)


def sample_indices(variable: xr.DataArray) -> NDArray[np.int64]:
    """The samples that a stored variable was measured on.

    Args:
        variable: of a published zoo or of measurements, such as ``zoo.metrics["hessian_trace"]``.

    Returns:
        [count] positions among the samples of its set (`split` of the data set), ascending.

    Raises:
        SampleError: it does not say, because all samples were taken, or it is none of these.
    """
    try:
        told = json.loads(variable.attrs[SAMPLE])
        sample = Sample(**{name: told[name] for name in ("set", "count", "available", "seed")})
    except (KeyError, TypeError, ValueError):
        got = variable.attrs.get(SAMPLE, "nothing")
        raise SampleError(
            f"{variable.name}: got {got} for the attribute '{SAMPLE}', allowed is that of a "
            f"variable measured on a sample, such as hessian_trace or cka"
        ) from None
    return sample.indices.numpy()
