rule new_task:
    """Fine-tuning and a linear probe on a task of other classes."""
    input:
        data=PLAN.data_of,
        second=PLAN.new_task_data_of,
        weights=PLAN.measured_weights,
        beside=ancient(
            PLAN.beside(PLAN.data_of, PLAN.new_task_data_of, PLAN.measured_weights)
        ),
    output:
        found=paths.measured("new_task"),
        checksum=paths.checksum(paths.measured("new_task")),
    log:
        paths.log("new_task", *SHARE),
    benchmark:
        paths.benchmark("new_task", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("new_task"),
        code=code_digest("new_task"),
    shell:
        f"python -m phasezoo step new_task --second {{input.second}} {MEASURE}"


rule robustness:
    """Errors on disturbed images, and on data sets that are not the own."""
    input:
        data=PLAN.data_of,
        others=PLAN.other_data_of,
        weights=PLAN.measured_weights,
        beside=ancient(
            PLAN.beside(PLAN.data_of, PLAN.other_data_of, PLAN.measured_weights)
        ),
    output:
        found=paths.measured("robustness"),
        checksum=paths.checksum(paths.measured("robustness")),
    log:
        paths.log("robustness", *SHARE),
    benchmark:
        paths.benchmark("robustness", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("robustness"),
        code=code_digest("robustness"),
    shell:
        f"python -m phasezoo step robustness --others '{{input.others}}' {MEASURE}"


rule pruning:
    """Models without their smallest weights, as they are and trained again."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("pruning"),
        checksum=paths.checksum(paths.measured("pruning")),
    log:
        paths.log("pruning", *SHARE),
    benchmark:
        paths.benchmark("pruning", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("pruning"),
        code=code_digest("pruning"),
    shell:
        f"python -m phasezoo step pruning {MEASURE}"


rule ensembling:
    """The seeds of a block, and pairs of seeds, as ensembles."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("ensembling"),
        checksum=paths.checksum(paths.measured("ensembling")),
    log:
        paths.log("ensembling", *SHARE),
    benchmark:
        paths.benchmark("ensembling", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("ensembling"),
        code=code_digest("ensembling"),
    shell:
        f"python -m phasezoo step ensembling {MEASURE}"
