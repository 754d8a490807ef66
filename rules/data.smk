rule data:
    """A labelled data set with a fixed split."""
    output:
        store=directory(paths.DATA),
        manifest=paths.DATA_MANIFEST,
        provenance=paths.provenance(paths.DATA_MANIFEST),
    log:
        paths.log("data", "dataset"),
    benchmark:
        paths.benchmark("data", "dataset")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.data_job,
    shell:
        "python -m phasezoo step data --job {params.job:q} --output {output.manifest} 2> {log}"
