rule transfer:
    """Fine-tuning on a second task against training from scratch."""
    input:
        data=PLAN.data_of,
        second=PLAN.transfer_data_of,
        weights=PLAN.measured_weights,
        beside=ancient(
            PLAN.beside(PLAN.data_of, PLAN.transfer_data_of, PLAN.measured_weights)
        ),
    output:
        found=paths.measured("transfer"),
        checksum=paths.checksum(paths.measured("transfer")),
    log:
        paths.log("transfer", *SHARE),
    benchmark:
        paths.benchmark("transfer", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("transfer"),
        code=code_digest("transfer"),
    shell:
        f"python -m phasezoo step transfer --second {{input.second}} {MEASURE}"


rule collect_transfer:
    """The transfer of a zoo, joined on its full declared grid."""
    input:
        PLAN.measurements("transfer"),
        ancient(PLAN.beside(PLAN.measurements("transfer"))),
    output:
        found=paths.TRANSFER,
        checksum=paths.checksum(paths.TRANSFER),
    log:
        paths.log("collect_transfer", "zoo"),
    benchmark:
        paths.benchmark("collect_transfer", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.collect_job("transfer"),
        code=code_digest("collect"),
    shell:
        "python -m phasezoo step collect --job {params.job:q} --output {output.found} 2> {log}"
