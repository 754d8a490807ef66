# The spec, validated before the DAG is built; an error in it is one line, and nothing runs.
from pathlib import Path

from snakemake.exceptions import WorkflowError

from phasezoo import paths
from phasezoo.plan import Plan
from phasezoo.provenance import code_digest
from phasezoo.spec import SpecError, read_study, study_from

try:
    read_study(
        Path("params.yaml")
    )  # finds keys given twice, which the config no longer shows
    PLAN = Plan(study_from(config))
except SpecError as problem:
    raise WorkflowError(str(problem)) from None


wildcard_constraints:
    **PLAN.constraints(),


# What every rule that measures a share of cells tells its step.
MEASURE = (
    "--job {params.job:q} --data {input.data} --output {output} --gpus {resources.gpu}"
    " {input.weights} 2> {log}"
)
