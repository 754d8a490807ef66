"""Phase-labelled model zoos: open them, load their models, label their cells, learn from them.

Everything is imported on first use, so that the command line starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phasezoo.data.sample import sample_indices
    from phasezoo.learning.dataset import ZooDataset
    from phasezoo.phases.classify import classify_phases
    from phasezoo.spec.phases import PhaseCriteria, RegimeCriteria
    from phasezoo.store.summary_tables import read_summary_table
    from phasezoo.store.zoo import Zoo, load_model, open_zoo

__all__ = [
    "PhaseCriteria",
    "RegimeCriteria",
    "Zoo",
    "ZooDataset",
    "classify_phases",
    "load_model",
    "open_zoo",
    "read_summary_table",
    "sample_indices",
]

_HOMES = {
    "PhaseCriteria": "phasezoo.spec.phases",
    "RegimeCriteria": "phasezoo.spec.phases",
    "Zoo": "phasezoo.store.zoo",
    "ZooDataset": "phasezoo.learning.dataset",
    "classify_phases": "phasezoo.phases.classify",
    "load_model": "phasezoo.store.zoo",
    "open_zoo": "phasezoo.store.zoo",
    "read_summary_table": "phasezoo.store.summary_tables",
    "sample_indices": "phasezoo.data.sample",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'phasezoo' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
