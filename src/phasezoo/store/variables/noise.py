"""How noisy the gradient at a model is."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family

_FAMILY = Family("noise", sample="train")

NOISE = (
    _FAMILY.number(
        OF_MODEL,
        "gradient_noise_scale",
        "gradient_variance over squared_gradient: the batch size at which noise and gradient are "
        "equal, in samples",
    ),
    _FAMILY.number(OF_MODEL, "gradient_noise_scale_standard_error", "jackknife over samples"),
    _FAMILY.truth(
        OF_MODEL,
        "gradient_noise_scale_converged",
        "whether squared_gradient is more than two standard errors above 0",
    ),
    _FAMILY.number(
        OF_MODEL, "squared_gradient", "squared norm of the gradient of the training loss"
    ),
    _FAMILY.number(OF_MODEL, "squared_gradient_standard_error", "jackknife over samples"),
    _FAMILY.number(
        OF_MODEL,
        "gradient_variance",
        "trace of the covariance of the gradients of single training samples",
    ),
    _FAMILY.number(OF_MODEL, "gradient_variance_standard_error", "jackknife over samples"),
)
