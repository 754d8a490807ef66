"""Sizes of networks, counted without making them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models.every import Case, every
from phasezoo.data.inputs import Inputs
from phasezoo.models.flat import buffer_layout, parameter_layout
from phasezoo.models.shapes import ArchitectureError
from phasezoo.models.size import size_of
from phasezoo.spec import architecture as spec


@every
def test_a_size_is_that_of_the_vectors_that_are_stored(case: Case) -> None:
    module = case.module()
    found = size_of(case.architecture, Inputs(case.shape, case.outputs))
    assert found.parameters == parameter_layout(module).size
    assert found.buffers == buffer_layout(module).size


def test_the_largest_network_of_the_zoos_is_counted_without_its_three_gigabytes() -> None:
    code = (
        "import resource, sys\n"
        "from phasezoo.data.inputs import Inputs\n"
        "from phasezoo.models.size import size_of\n"
        "from phasezoo.spec.architecture import Gpt2\n"
        "gpt = Gpt2(name='gpt-2', depth=12, heads=12, model_dim=2304)\n"
        "print(size_of(gpt, Inputs((1024,), 50257)).parameters)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2**20)\n"
        "print('sympy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["882927360", "True", "False"]


def test_inputs_that_a_network_does_not_take_are_refused() -> None:
    vgg = spec.Vgg(name="vgg-11", norm="none", width=3)
    with pytest.raises(ArchitectureError, match="vgg: got inputs"):
        size_of(vgg, Inputs((1, 8, 8), 10))
