# What the default study yields: every zoo of `run` in params.yaml, published and reported.
from snakemake.utils import min_version

min_version("9.27")


configfile: "params.yaml"


include: "rules/plan.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/metrics.smk"
include: "rules/merging.smk"
include: "rules/transfer.smk"
include: "rules/downstream.smk"
include: "rules/phases.smk"
include: "rules/learning.smk"
include: "rules/explained.smk"
include: "rules/publish.smk"
include: "rules/report.smk"


localrules:
    all,
    datasets,
    release,


rule all:
    """Everything, each artefact by name, so that a lost one is made again."""
    default_target: True
    input:
        LOST or PLAN.everything(),


rule datasets:
    """The data sets of the run."""
    input:
        PLAN.datasets(),


rule release:
    """The published zoos and the report; leaves alone what a partial pull does not have."""
    input:
        PLAN.targets(),
