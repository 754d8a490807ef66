"""Points of the plane, of which one quadrant is a class of its own."""

from __future__ import annotations

import numpy as np
import xarray as xr

from phasezoo import rng
from phasezoo.data.sides import sides
from phasezoo.spec.plane import Quadrant

KIND = "plane"


def quadrant(spec: Quadrant) -> xr.Dataset:
    """The labelled points of a spec: y = 1 where x1 < 0 and x2 > 0, else 0.

    Returns:
        Dataset over `sample`: point [sample, coordinate] float32 from [-1, 1], uniform and as they
        are given to networks; label [sample] int16, split [sample] int8.
    """
    counts = {"train": spec.train, "test": spec.test}
    drawn = [
        np.random.default_rng(rng.seed_of(spec.source, side, spec.split_seed)).uniform(
            -1, 1, (count, 2)
        )
        for side, count in counts.items()
    ]
    points = np.concatenate(drawn).astype(np.float32)
    inside = (points[:, 0] < 0) & (points[:, 1] > 0)
    return xr.Dataset(
        {
            "point": (("sample", "coordinate"), points),
            "label": ("sample", inside.astype(np.int16)),
            "split": sides(*counts.values()),
        },
        attrs={
            "title": "Points of the plane, one quadrant of which is a class of its own",
            "kind": KIND,
            "references": "Ainsworth et al. 2023, arXiv:2209.04836, appendix A.6",
            "license": "CC0 1.0",
            "classes": "outside inside",
            "spec": spec.model_dump_json(),
        },
    )
