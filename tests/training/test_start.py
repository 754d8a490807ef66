"""What a training job does not wait for."""

from __future__ import annotations

import subprocess
import sys


def test_rates_need_no_compiler() -> None:
    """Torch's own optimisers import it when they are made, which takes longer than torch itself."""
    code = (
        "import sys\n"
        "from phasezoo.spec.training import Cosine, Optimisation, Sgd\n"
        "from phasezoo.training.schedule import rates\n"
        "sgd = Sgd(name='sgd', learning_rate=0.1, momentum=0.9, weight_decay=0, nesterov=False)\n"
        "how = Optimisation(optimiser=sgd, schedule=Cosine(name='cosine', epochs=3, eta_min=0),\n"
        "                   batch_size=7)\n"
        "assert rates(how, 5, 0, 3).shape == (15, 2)\n"
        "assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
