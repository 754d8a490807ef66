"""What every way of aligning models gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import Permutations, PermutationSpec, permute
from phasezoo.merging.pieces import composed, inverse
from phasezoo.models.flat import Weights


@dataclass(frozen=True)
class Alignment:
    """Permutations that bring models into one frame, and how they were found.

    Attributes:
        permutations: one set for each model; of the first, if it is the frame, the identity.
        objective: what the method maximises, before its first sweep and after each.
        converged: whether it came to rest by itself.
        seconds: of wall-clock time.
    """

    permutations: tuple[Permutations, ...]
    objective: tuple[float, ...]
    converged: bool
    seconds: float

    @property
    def gain(self) -> float:
        """Increase of the objective over where it began."""
        return self.objective[-1] - self.objective[0]

    def applied(
        self, network: Network, spec: PermutationSpec, models: Sequence[Weights]
    ) -> list[Weights]:
        """The models in the common frame; none of their functions changes."""
        by = zip(models, self.permutations, strict=True)
        return [permute(network, spec, model, own) for model, own in by]

    def onto(self, spec: PermutationSpec, first: int, second: int) -> Permutations:
        """P_ij, which permutes model j = `second` onto model i = `first` as that one is.

        Consistent around any cycle: P_jk and then P_ij is P_ik.
        """
        back = inverse(spec, self.permutations[first])
        return composed(spec, self.permutations[second], back)


class Aligner(Protocol):
    """A way of aligning models of one architecture."""

    def __call__(
        self,
        network: Network,
        spec: PermutationSpec,
        models: Sequence[Weights],
        generator: torch.Generator,
    ) -> Alignment:
        """Permutations for each of two or more models; `generator` is the only chance.

        Raises:
            ValueError: there are fewer than two models, or one has numbers that are not finite.
        """


def require_alignable(models: Sequence[Weights]) -> None:
    """Refuse what no aligner takes.

    Raises:
        ValueError: there are fewer than two models, or one has numbers that are not finite.
    """
    if len(models) < 2:
        raise ValueError(f"models: got {len(models)}, allowed are at least 2")
    # a finite norm has finite terms, and costs a tenth of looking at each
    norms = (torch.linalg.vector_norm(of.parameters).isfinite() for of in models)
    if not all(norm or of.finite for norm, of in zip(norms, models, strict=True)):
        raise ValueError("weights: got numbers that are not finite, allowed are finite ones")
