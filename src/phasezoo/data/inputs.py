"""What networks are given of a data set, as far as it is known before there is any data."""

from __future__ import annotations

from dataclasses import dataclass

from phasezoo.data.corpus import CorpusError
from phasezoo.data.text_pydoc import pydoc
from phasezoo.spec.data import DataSpec, Digits, Npz
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.glue import Glue
from phasezoo.spec.labelled_text import PythonText
from phasezoo.spec.published import Published
from phasezoo.spec.text import GPT2_VOCABULARY, OpenWebText, Pydoc


@dataclass(frozen=True)
class Inputs:
    """What decides the size of a network beside its architecture.

    Attributes:
        shape: of one input: an image [C, H, W], a point [D], a context of tokens [T].
        outputs: classes, tokens of the vocabulary, or values of a solution.
    """

    shape: tuple[int, ...]
    outputs: int


def inputs_of(spec: DataSpec) -> Inputs | None:
    """The inputs of a data set, without a download; None where only the data would tell.

    The vocabulary of `pydoc` is read off the documentation of the Python that runs, and is not
    known where the spec asks for that of another.
    """
    match spec:
        case Digits() | Published():
            return Inputs(spec.shape, spec.classes)
        case EquationPoints():
            return Inputs((2,), 1)
        case OpenWebText():
            return Inputs((spec.context,), GPT2_VOCABULARY)
        case Pydoc():
            try:
                return Inputs((spec.context,), pydoc(spec).vocabulary)
            except CorpusError:
                return None
        case PythonText() | Glue():
            return Inputs((spec.context,), len(spec.classes))
        case Npz():
            return None


def needs_download(spec: DataSpec) -> bool:
    """Whether a data set is made from files of the web."""
    return not isinstance(spec, Digits | EquationPoints | Pydoc | PythonText)
