"""Clean loss and error of a model, and what became of it."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family, Variable
from phasezoo.vocabulary import Status

_FAMILY = Family("evaluation")
_STATUS = {int(s): s.name.lower() for s in Status}

EVALUATION = (
    _FAMILY.number(OF_MODEL, "train_loss", "mean cross-entropy on the training set"),
    _FAMILY.number(OF_MODEL, "train_error", "share of training samples misclassified"),
    _FAMILY.number(OF_MODEL, "test_loss", "mean cross-entropy on the test set"),
    _FAMILY.number(OF_MODEL, "test_error", "share of test samples misclassified"),
    Variable(
        "status", "metrics", OF_MODEL, "", "what became of the model", "evaluation", "int8", _STATUS
    ),
    _FAMILY.truth(OF_MODEL, "collapsed", "whether the logits are the same for every test sample"),
)
