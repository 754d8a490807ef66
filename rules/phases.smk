rule phases:
    """The phase of every cell, and which phases the zoo covers."""
    input:
        metrics=paths.METRICS,
        checksum=ancient(paths.checksum(paths.METRICS)),
    output:
        phases=paths.PHASES,
        checksum=paths.checksum(paths.PHASES),
        coverage=paths.COVERAGE,
    log:
        paths.log("phases", "zoo"),
    benchmark:
        paths.benchmark("phases", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.phases_job,
        code=code_digest("phases"),
    shell:
        "python -m phasezoo step phases --job {params.job:q} --metrics {input.metrics}"
        " --output {output.phases} --coverage {output.coverage} 2> {log}"
