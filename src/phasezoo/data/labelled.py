"""A data set as labelled arrays, whatever it is made of."""

from __future__ import annotations

import xarray as xr

from phasezoo.data.glue.dataset import glue
from phasezoo.data.images import images
from phasezoo.data.points import points
from phasezoo.data.python_text.dataset import python_text
from phasezoo.data.text import labelled_text
from phasezoo.spec.data import DataSpec
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.glue import Glue
from phasezoo.spec.labelled_text import PythonText
from phasezoo.spec.text import OpenWebText, Pydoc


def labelled(spec: DataSpec) -> xr.Dataset:
    """The labelled data set of a spec: images, texts, or points of an equation."""
    match spec:
        case EquationPoints():
            return points(spec)
        case Pydoc() | OpenWebText():
            return labelled_text(spec)
        case PythonText():
            return python_text(spec)
        case Glue():
            return glue(spec)
        case _:
            return images(spec)
