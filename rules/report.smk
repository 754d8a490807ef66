rule report:
    """One page over all zoos of the run, and the phase map of each as a picture."""
    input:
        PLAN.published(),
        PLAN.joined_regions(),
        ancient(PLAN.reported()),
    output:
        page=paths.REPORT,
        pictures=PLAN.pictures(),
        checksums=paths.beside([paths.REPORT, *PLAN.pictures()]),
    log:
        paths.log("report"),
    benchmark:
        paths.benchmark("report")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.report_job(),
        code=code_digest("report"),
    shell:
        "python -m phasezoo step report --job {params.job:q} --output {output.page}"
        " {output.pictures} 2> {log}"
