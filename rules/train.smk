# No code digest here: a change of code must never throw trained models away by itself.
# Raise `recipe` in params.yaml to train again.
rule train:
    """The checkpoints of one block of seeds of one cell, over one segment of epochs."""
    input:
        data=PLAN.data_of,
        before=PLAN.resumed,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.resumed)),
    output:
        store=directory(paths.WEIGHTS),
        manifest=paths.WEIGHTS_MANIFEST,
        provenance=paths.provenance(paths.WEIGHTS_MANIFEST),
    log:
        paths.log("train", "zoo", "load", "temperature", "block", "segment"),
    benchmark:
        paths.benchmark("train", "zoo", "load", "temperature", "block", "segment")
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.train_job,
    shell:
        "python -m phasezoo step train --job {params.job:q} --data {input.data}"
        " --output {output.manifest} --gpus {resources.gpu} {input.before} 2> {log}"
