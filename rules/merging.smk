rule merging:
    """Midpoints, barriers and averages of the seeds of every cell, naive and aligned."""
    input:
        data=PLAN.data_of,
        weights=PLAN.merged_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.merged_weights)),
    output:
        found=paths.measured("merging"),
        checksum=paths.checksum(paths.measured("merging")),
    log:
        paths.log("merging", *SHARE),
        seconds=paths.alignment_times(*SHARE),
    benchmark:
        paths.benchmark("merging", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("merging"),
        code=code_digest("merging"),
    shell:
        f"python -m phasezoo step merging --seconds {{log.seconds}} {MEASURE}"


rule collect_merging:
    """The merging results of a zoo, joined on its full declared grid."""
    input:
        PLAN.measurements("merging"),
        ancient(PLAN.beside(PLAN.measurements("merging"))),
    output:
        found=paths.MERGING,
        checksum=paths.checksum(paths.MERGING),
    log:
        paths.log("collect_merging", "zoo"),
    benchmark:
        paths.benchmark("collect_merging", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.collect_job("merging"),
        code=code_digest("collect"),
    shell:
        "python -m phasezoo step collect --job {params.job:q} --output {output.found} 2> {log}"
