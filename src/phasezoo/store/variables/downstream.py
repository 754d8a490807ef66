"""What becomes of models when they are used: new tasks, disturbed inputs, pruning, ensembles."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_BLOCK, OF_MODEL, OF_PAIR, Family

_TASK = Family("new_task", "transfer")
_ROBUST = Family("robustness", "transfer")
_PRUNED = Family("pruning", "transfer")
_TOGETHER = Family("ensembling", "transfer")

_CORRUPTED = (*OF_MODEL, "corruption", "severity")
_SPARSE = (*OF_MODEL, "scope", "sparsity")

NEW_TASK = (
    _TASK.number(OF_MODEL, "new_task_error", "test error on a task of other classes, fine-tuned"),
    _TASK.number(OF_MODEL, "new_task_scratch_error", "the same, trained from scratch"),
    _TASK.number(OF_MODEL, "new_task_probe_error", "the same, nothing but the head trained"),
    _TASK.number(
        OF_MODEL,
        "new_task_gain",
        "new_task_scratch_error minus new_task_error; positive: the zoo helps",
    ),
    _TASK.number(
        OF_MODEL,
        "new_task_probe_gain",
        "new_task_scratch_error minus new_task_probe_error; positive: the body alone helps",
    ),
)
ROBUSTNESS = (
    _ROBUST.number(OF_MODEL, "clean_error", "test error on the images as they are"),
    _ROBUST.number(_CORRUPTED, "corruption_error", "test error on disturbed images"),
    _ROBUST.number(OF_MODEL, "mean_corruption_error", "its mean over corruptions and severities"),
    _ROBUST.number(
        OF_MODEL,
        "robustness_gain",
        "clean_error minus mean_corruption_error: what is lost, as a negative number",
    ),
    _ROBUST.number(
        OF_MODEL, "shifted_error", "test error on another data set of the same classes, untrained"
    ),
    _ROBUST.number(
        OF_MODEL,
        "foreign_auroc",
        "how well test images are told from those of another data set by the largest probability "
        "of a class: area under the ROC curve",
    ),
)
PRUNING = (
    _PRUNED.number(
        OF_MODEL, "unpruned_error", "test error with all weights, statistics re-estimated"
    ),
    _PRUNED.number(
        OF_MODEL, "unpruned_retrained_error", "the same, trained further as the pruned ones are"
    ),
    _PRUNED.number(_SPARSE, "pruned_error", "test error without the smallest weights"),
    _PRUNED.number(_SPARSE, "retrained_error", "the same after training what is left"),
    _PRUNED.number(
        OF_MODEL,
        "pruning_gain",
        "unpruned_error minus the mean pruned_error: what is lost, as a negative number",
    ),
    _PRUNED.number(
        OF_MODEL,
        "pruning_retrained_gain",
        "unpruned_retrained_error minus the mean retrained_error",
    ),
)
ENSEMBLING = (
    *(
        _TOGETHER.number((*dims, "average"), f"{prefix}_{name}", f"{meaning} of {whom}")
        for dims, prefix, whom in (
            (OF_BLOCK, "ensemble", "the seeds of a block as an ensemble"),
            (OF_PAIR, "pair_ensemble", "two seeds as an ensemble"),
        )
        for name, meaning in (("error", "test error"), ("loss", "test loss"))
    ),
    _TOGETHER.number(OF_BLOCK, "ensemble_single_error", "mean test error of its models"),
    _TOGETHER.number(OF_BLOCK, "ensemble_single_loss", "mean test loss of its models"),
    _TOGETHER.number(
        OF_BLOCK, "ensemble_best_error", "lowest test error of its models, chosen on the test set"
    ),
    _TOGETHER.number(
        OF_BLOCK,
        "ensembling_gain",
        "ensemble_single_error minus the error of averaged probabilities",
    ),
    _TOGETHER.number(OF_PAIR, "pair_single_error", "mean test error of two seeds"),
    _TOGETHER.number(OF_PAIR, "pair_disagreement", "share of test answers in which they differ"),
)
DOWNSTREAM = (*NEW_TASK, *ROBUSTNESS, *PRUNING, *ENSEMBLING)
