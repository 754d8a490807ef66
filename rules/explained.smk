rule explained:
    """What the phase explains of each result, beyond load and temperature."""
    input:
        results=PLAN.explained_from,
        checksums=ancient(PLAN.beside(PLAN.explained_from)),
    output:
        found=paths.EXPLAINED,
        checksum=paths.checksum(paths.EXPLAINED),
    log:
        paths.log("explained", "zoo"),
    benchmark:
        paths.benchmark("explained", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.explained_job,
        code=code_digest("explained"),
    shell:
        "python -m phasezoo step explained --job {params.job:q} --output {output.found}"
        " {input.results} 2> {log}"
