# The spec, validated before the DAG is built; an error in it is one line, and nothing runs.
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from phasezoo import inventory, paths
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
if unwritable := inventory.unwritable(Path()):
    raise WorkflowError(unwritable)
for zoo, wanting in inventory.wanting_imports(PLAN, Path()).items():
    raise WorkflowError(
        f"{zoo}: {len(wanting)} imported blocks are missing or not of this spec, the first is"
        f" {wanting[0]}; bring them with `phasezoo import {zoo}`"
    )

if LOST := inventory.lost_data(PLAN, Path()):
    logger.warning(
        f"lost: {' '.join(LOST)}: made again alone; run once more for the rest"
    )


wildcard_constraints:
    **PLAN.constraints(),


# The wildcards of a rule that measures a share of cells, and what it tells its step.
SHARE = ("zoo", "loads", "temperatures", "blocks", "epoch")
MEASURE = (
    "--job {params.job:q} --data {input.data} --output {output.found} --gpus {resources.gpu}"
    " {input.weights} 2> {log[0]}"
)


onerror:
    print(
        "What failed stands above, with its log. Exit code 137 means that a job was killed, mostly"
        " for want of memory (134: it gave up for the same reason): run fewer at once (--cores)"
        " or give it more memory. When the cause is gone, give the same command again; what is"
        " finished stays."
    )
