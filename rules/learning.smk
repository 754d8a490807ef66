rule learning:
    """What the weights of a zoo tell of its errors and phases."""
    input:
        metrics=paths.METRICS,
        phases=paths.PHASES,
        checksums=ancient(paths.beside([paths.METRICS, paths.PHASES])),
    output:
        found=paths.LEARNING,
        checksum=paths.checksum(paths.LEARNING),
    log:
        paths.log("learning", "zoo"),
    benchmark:
        paths.benchmark("learning", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.learning_job,
        code=code_digest("learning"),
    shell:
        "python -m phasezoo step learning --job {params.job:q} --metrics {input.metrics}"
        " --phases {input.phases} --output {output.found} 2> {log}"
