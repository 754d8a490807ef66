rule publish:
    """One labelled store per zoo; its weights are hard links to those of the training jobs."""
    input:
        data=PLAN.data_of,
        results=PLAN.results,
        weights=PLAN.all_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.results, PLAN.all_weights)),
    output:
        store=directory(paths.ZOO),
        manifest=paths.ZOO_MANIFEST,
        provenance=paths.provenance(paths.ZOO_MANIFEST),
    log:
        paths.log("publish", "zoo"),
    benchmark:
        paths.benchmark("publish", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.publish_job,
        code=code_digest("publish"),
    shell:
        "python -m phasezoo step publish --job {params.job:q} --data {input.data}"
        " --output {output.manifest} 2> {log}"
