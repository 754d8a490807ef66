"""How fast the loss rises around a model."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family

_FAMILY = Family("learning_coefficient", sample="train")

LEARNING_COEFFICIENT = (
    _FAMILY.number(
        OF_MODEL, "learning_coefficient", "local learning coefficient of the training loss"
    ),
    _FAMILY.number(
        OF_MODEL, "learning_coefficient_standard_error", "Monte Carlo error of the Langevin chains"
    ),
    _FAMILY.truth(
        OF_MODEL,
        "learning_coefficient_converged",
        "whether the chains agree, are at equilibrium, and the coefficient is not below 0",
    ),
    _FAMILY.number(
        OF_MODEL, "learning_coefficient_r_hat", "split R-hat of the chains: 1 where they agree"
    ),
    _FAMILY.number(
        OF_MODEL,
        "learning_coefficient_equipartition",
        "virial of the chains over the number of parameters: 1 at equilibrium, for a small step",
    ),
    _FAMILY.number(
        OF_MODEL,
        "learning_coefficient_equipartition_standard_error",
        "Monte Carlo error of the Langevin chains",
    ),
    _FAMILY.number(
        OF_MODEL,
        "learning_coefficient_effective_samples",
        "uncorrelated draws that the chains are worth",
    ),
)
