"""Clean loss and error of a model, as its task judges them, and what became of it."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family, Variable
from phasezoo.vocabulary import Status

_FAMILY = Family("evaluation")
_STATUS = {int(s): s.name.lower() for s in Status}
_LOSS = "mean cross-entropy of classes or next tokens (nats), or squared residuals of an equation"
_ERROR = "share of classes or next tokens that are wrong, or relative L2 error, which may exceed 1"

EVALUATION = (
    _FAMILY.number(OF_MODEL, "train_loss", f"training set: {_LOSS}"),
    _FAMILY.number(OF_MODEL, "train_error", f"training set: {_ERROR}"),
    _FAMILY.number(OF_MODEL, "test_loss", f"test set: {_LOSS}"),
    _FAMILY.number(OF_MODEL, "test_error", f"test set: {_ERROR}"),
    Variable(
        "status", "metrics", OF_MODEL, "", "what became of the model", "evaluation", "int8", _STATUS
    ),
    _FAMILY.truth(OF_MODEL, "collapsed", "whether the outputs are the same for every test sample"),
)
