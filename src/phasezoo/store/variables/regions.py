"""Where models tuned from one start end up in weight space, and what lies around them."""

from __future__ import annotations

from phasezoo.store.variables.learning import ENDS
from phasezoo.store.variables.variable import Family, Variable
from phasezoo.vocabulary import SEED, Status

_TUNED = Family("tuned", "regions")
_MEASURED = Family("region", "regions")
_COMPARED = Family("compared_regions", "regions")

OF_TUNED = ("start", "dataset", SEED)
OF_PAIR_OF_TUNED = (*OF_TUNED, "other_start", "other_dataset", "other_seed")
OF_CLUSTERING = ("grouping", "clustering")
OF_MEMBER = ("dataset", "level", "group", "member")
OF_LINE = ("dataset", "level", "line")
OF_EFFICIENT = ("dataset", "arm", "trained", "samples")

REGION_AXES: dict[str, str] = {
    "start": "pre-trained network that models were tuned from",
    "dataset": "data set that a model was tuned to; the target of what is measured",
    "family": "what is asked of the samples of a data set",
    "domain": "what the samples of a data set are",
    "families": "what is asked of the samples of several data sets",
    "other_start": "start of the second of two tuned models",
    "other_dataset": "data set of the second of two tuned models",
    "other_seed": "seed of the second of two tuned models",
    "grouping": "what clusters are compared with: data set, family, domain or start of a model",
    "clustering": "how clusters are found",
    "label": "a data set, family, domain or start",
    "level": "what the models of a group have in common",
    "group": "inside of a region as tuned, inside as a convex combination, or outside",
    "member": "number of a model in its group",
    "comparison": "which of two groups is said to be better",
    "line": "number of a straight line through two models",
    "alpha": "place on a line through two models: 0 is the first, 1 the second",
    "arm": "where tuning of few parameters starts",
    "trained": "what is trained: biases and head, or the head alone",
    "samples": "training samples that are shown",
    "draw": "seed of head, order and share of samples of a tuning of few parameters",
}


def _with_interval(dims: tuple[str, ...], name: str, meaning: str) -> tuple[Variable, ...]:
    """A number and both ends of its interval."""
    says = {"value": meaning}
    return tuple(
        _COMPARED.number(
            dims,
            f"{name}{end}",
            says.get(part, f"{part} end of the 95 % interval: {meaning}"),
        )
        for end, part in ENDS.items()
    )


# of each model, from its weights alone
TUNED = (
    Variable(
        "tuned_status",
        "regions",
        OF_TUNED,
        "",
        "what became of a tuned model",
        "tuned",
        "int8",
        {int(s): s.name.lower() for s in Status},
    ),
    _TUNED.number(OF_TUNED, "task_vector_norm", "length of tuned minus pre-trained weights"),
    _TUNED.number(
        OF_PAIR_OF_TUNED,
        "task_vector_cosine",
        "cosine of the angle between two task vectors, heads left out",
    ),
)

# of each target, from its classes alone
UNTAUGHT = (
    _COMPARED.number(
        ("dataset",),
        "uniform_loss",
        "loss of knowing nothing: log of the number of classes",
        "nats",
    ),
)

# with a data set as the target
ON_TARGET = (
    _MEASURED.number(
        ("dataset", SEED), "tuned_test_loss", "test loss on the data set it was tuned to", "nats"
    ),
    _MEASURED.number(
        ("dataset", SEED), "tuned_test_error", "test error on the data set it was tuned to"
    ),
    _MEASURED.number(
        OF_MEMBER, "probe_loss", "test loss with a new head fitted to the frozen body", "nats"
    ),
    _MEASURED.number(
        OF_MEMBER, "probe_error", "test error with a new head fitted to the frozen body"
    ),
    _MEASURED.truth(OF_MEMBER, "probe_converged", "whether the fit of the new head converged"),
    _MEASURED.number(
        ("dataset",), "start_probe_loss", "probe_loss of the pre-trained network", "nats"
    ),
    _MEASURED.number(("dataset",), "start_probe_error", "probe_error of the pre-trained network"),
    _MEASURED.number(
        (*OF_LINE, "alpha"), "line_probe_loss", "probe_loss of the body at a place", "nats"
    ),
    _MEASURED.number(
        OF_LINE, "line_length", "distance of the two models over the mean length of a task vector"
    ),
    _MEASURED.number(
        (*OF_EFFICIENT, "draw"), "efficient_test_loss", "test loss after the tuning", "nats"
    ),
    _MEASURED.number(
        (*OF_EFFICIENT, "draw"), "efficient_test_error", "test error after the tuning"
    ),
    _MEASURED.number(
        ("dataset", "trained", "samples", "draw"),
        "chosen_scale",
        "factor of the mean task vector that held-out training samples chose",
    ),
)

CLUSTERS = (
    *(
        variable
        for name, meaning in (
            ("clustering_accuracy", "share of models whose label is the majority of their cluster"),
            ("one_to_one_accuracy", "the same where each label goes to one cluster at most"),
            ("adjusted_rand", "adjusted Rand index of clusters and labels"),
            ("mutual_information", "normalised mutual information of clusters and labels"),
        )
        for variable in (
            *_with_interval(OF_CLUSTERING, name, meaning),
            _COMPARED.number(
                OF_CLUSTERING, f"{name}_chance", f"mean under permuted labels: {meaning}"
            ),
            _COMPARED.number(
                OF_CLUSTERING,
                f"{name}_chance_high",
                f"95 % quantile under permuted labels: {meaning}",
            ),
            _COMPARED.number(
                OF_CLUSTERING, f"{name}_p", f"share of permuted labels that reach it: {meaning}"
            ),
        )
    ),
    _COMPARED.number(OF_CLUSTERING, "clusters_found", "number of clusters"),
    _COMPARED.number((*OF_CLUSTERING, "label"), "label_f1", "F1 score of one label"),
)

PROBABILITIES = tuple(
    variable
    for name, score in (
        ("better_probability", "probe_loss"),
        ("better_probability_error", "probe_error"),
    )
    for variable in (
        *_with_interval(
            ("dataset", "level", "comparison"),
            name,
            f"probability that a random member of the one has less {score}, ties counted half",
        ),
        *_with_interval(
            ("level", "comparison"), f"mean_{name}", f"mean of {name} over the data sets"
        ),
    )
)

GAINS = (
    *_with_interval(
        OF_EFFICIENT, "efficient_gain", "test error saved against starting from the pre-trained"
    ),
    _COMPARED.number(OF_EFFICIENT, "efficient_gain_p", "p of a paired test over the draws"),
    _COMPARED.number(
        OF_EFFICIENT, "efficient_gain_p_holm", "efficient_gain_p, after Holm, over the data sets"
    ),
    *_with_interval(OF_EFFICIENT[1:], "overall_gain", "mean of efficient_gain over the data sets"),
    _COMPARED.number(
        ("families", *OF_EFFICIENT[1:]),
        "family_gain",
        "mean of efficient_gain over the data sets of a family",
    ),
    _COMPARED.number(
        OF_EFFICIENT[1:],
        "overall_gain_p",
        "p of Wilcoxon's signed rank test over the data sets, taken as independent",
    ),
    _COMPARED.number(
        OF_EFFICIENT[1:],
        "overall_gain_sign_p",
        "p of the sign test over the data sets, taken as independent",
    ),
    _COMPARED.number(
        OF_EFFICIENT[1:], "overall_gain_p_holm", "overall_gain_p, after Holm, over all arms"
    ),
    *(
        _COMPARED.number(OF_EFFICIENT[1:], f"datasets_{what}", f"data sets where the arm {says}")
        for what, says in (("won", "is better"), ("tied", "is as good"), ("lost", "is worse"))
    ),
)

REGIONS = (*TUNED, *UNTAUGHT, *ON_TARGET, *CLUSTERS, *PROBABILITIES, *GAINS)
