# The spec, validated before the DAG is built; an error in it is one line, and nothing runs.
from snakemake.exceptions import WorkflowError

from phasezoo import paths
from phasezoo.plan import Plan
from phasezoo.provenance import code_digest
from phasezoo.spec import SpecError, study_from

try:
    PLAN = Plan(study_from(config))
except SpecError as problem:
    raise WorkflowError(str(problem)) from None


wildcard_constraints:
    dataset=paths.LABEL,
    zoo=paths.LABEL,
    load=paths.LABEL,
    temperature=paths.LABEL,
    share=paths.LABEL,
    block=paths.LABEL,
    segment=paths.LABEL,
    epoch=r"\d+",
