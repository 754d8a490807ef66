"""The stored variables, each declared once: dims, type, units, meaning."""

from __future__ import annotations

from phasezoo.store.variables.connectivity import CONNECTIVITY
from phasezoo.store.variables.downstream import DOWNSTREAM
from phasezoo.store.variables.evaluation import EVALUATION
from phasezoo.store.variables.explained import EXPLAINED
from phasezoo.store.variables.hessian import HESSIAN
from phasezoo.store.variables.learning import LEARNING
from phasezoo.store.variables.learning_coefficient import LEARNING_COEFFICIENT
from phasezoo.store.variables.merging import MERGING
from phasezoo.store.variables.noise import NOISE
from phasezoo.store.variables.phases import PHASES
from phasezoo.store.variables.similarity import SIMILARITY
from phasezoo.store.variables.spectra import SPECTRA
from phasezoo.store.variables.statistics import STATISTICS
from phasezoo.store.variables.transfer import TRANSFER
from phasezoo.store.variables.variable import OF_CELL, OF_MODEL, OF_PAIR, Variable

__all__ = ["AXES", "OF_CELL", "OF_MODEL", "OF_PAIR", "SCHEMA_VERSION", "VARIABLES", "Variable"]

SCHEMA_VERSION = 1

# Axes that families have beside those of the grid, and what their coordinates are.
AXES: dict[str, str] = {
    "t": "place on a path between two models: 0 is the first, 1 the second",
    "rank": "rank among the eigenvalues: 0 is the largest",
    "quadrature": "node of a quadrature",
    "layer": "name of the module whose output is compared",
    "alignment": "way of bringing models into one frame",
    "correction": "what is put right in a merged model",
    "sweep": "sweep of a search: 0 is before the first",
    "soup": "recipe of a mean of models",
    "baseline": "what merged models are compared with",
    "matrix": "name of the weight, reshaped to one row per output",
    "tensor": "name of a trained tensor",
    "statistic": "what is said of the values of a tensor",
    "left_out": "what is predicted together, from nothing but others: a model or a whole cell",
    "inputs": "what is known of a model: nothing, its position in the grid, its weights, or both",
    "corruption": "how images are disturbed",
    "severity": "how much: the place in the severities of the spec, 1 is the mildest",
    "scope": "within what weights are compared: all of a model, or each layer",
    "sparsity": "share of the weights that are removed",
    "average": "what of an ensemble is averaged",
    "quantity": "what is explained: a number of the models, pairs or blocks of every cell",
    "position": "what load and temperature explain by themselves: effects of each (additive), or "
    "also a smooth interaction of both (surface)",
    "learner": "how predictions are learned: ridge regression or boosted trees",
}

_NUMBERS = (*SPECTRA, *NOISE, *LEARNING_COEFFICIENT, *STATISTICS)
_METRICS = (*EVALUATION, *HESSIAN, *CONNECTIVITY, *SIMILARITY, *_NUMBERS)
_USED = (*MERGING, *TRANSFER, *DOWNSTREAM)
VARIABLES = {v.name: v for v in (*_METRICS, *_USED, *PHASES, *LEARNING, *EXPLAINED)}
