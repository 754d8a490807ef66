# No code digest for tuning, as for training: raise `recipe` in params.yaml to tune again.
rule tune_regions:
    """The models that a block of seeds makes of one start and one data set."""
    input:
        origin=PLAN.start_data,
        start=PLAN.start_weights,
        data=PLAN.target_data,
        beside=ancient(
            PLAN.beside(PLAN.start_data, PLAN.start_weights, PLAN.target_data)
        ),
    output:
        store=directory(paths.TUNED),
        manifest=paths.TUNED_MANIFEST,
        provenance=paths.provenance(paths.TUNED_MANIFEST),
    log:
        paths.log("tune_regions", "regions", "start", "dataset", "block"),
    benchmark:
        paths.benchmark("tune_regions", "regions", "start", "dataset", "block")
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.region_gpus,
    params:
        job=PLAN.tune_job,
    shell:
        "python -m phasezoo step tune_regions --job {params.job:q} --origin {input.origin}"
        " --start {input.start} --data {input.data} --output {output.manifest}"
        " --gpus {resources.gpu} 2> {log}"


rule measure_regions:
    """What tuned models, and networks between and around them, are worth on one data set."""
    input:
        origin=PLAN.start_data,
        start=PLAN.start_weights,
        data=PLAN.target_data,
        weights=PLAN.tuned_weights,
        beside=ancient(
            PLAN.beside(
                PLAN.start_data,
                PLAN.start_weights,
                PLAN.target_data,
                PLAN.tuned_weights,
            )
        ),
    output:
        found=paths.MEASURED_ON,
        checksum=paths.checksum(paths.MEASURED_ON),
    log:
        paths.log("measure_regions", "regions", "dataset"),
    benchmark:
        paths.benchmark("measure_regions", "regions", "dataset")
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.region_gpus,
    params:
        job=PLAN.measure_regions_job,
        code=code_digest("measure_regions"),
    shell:
        "python -m phasezoo step measure_regions --job {params.job:q} --origin {input.origin}"
        " --start {input.start} --data {input.data} --output {output.found}"
        " --gpus {resources.gpu} {input.weights} 2> {log}"


rule collect_regions:
    """The measurements of a region study, joined; clusters, comparisons and tests of all of them."""
    input:
        measured=PLAN.measured_on,
        starts=PLAN.start_manifests,
        weights=PLAN.all_tuned,
        beside=ancient(
            PLAN.beside(PLAN.measured_on, PLAN.start_manifests, PLAN.all_tuned)
        ),
    output:
        found=paths.REGIONS,
        checksum=paths.checksum(paths.REGIONS),
    log:
        paths.log("collect_regions", "regions"),
    benchmark:
        paths.benchmark("collect_regions", "regions")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.join_regions_job,
        code=code_digest("collect_regions"),
    shell:
        "python -m phasezoo step collect_regions --job {params.job:q} --output {output.found}"
        " 2> {log}"
