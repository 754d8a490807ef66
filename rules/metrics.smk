rule evaluate:
    """Clean loss and error of the models of a share of cells."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("evaluation"),
        checksum=paths.checksum(paths.measured("evaluation")),
    log:
        paths.log("evaluate", *SHARE),
    benchmark:
        paths.benchmark("evaluate", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("evaluation"),
        code=code_digest("evaluate"),
    shell:
        f"python -m phasezoo step evaluate {MEASURE}"


rule hessian:
    """Curvature of the training loss at the models of a share of cells."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("hessian"),
        checksum=paths.checksum(paths.measured("hessian")),
    log:
        paths.log("hessian", *SHARE),
    benchmark:
        paths.benchmark("hessian", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("hessian"),
        code=code_digest("hessian"),
    shell:
        f"python -m phasezoo step hessian {MEASURE}"


rule connectivity:
    """Bezier curves and straight lines between the seeds of every cell."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("connectivity"),
        checksum=paths.checksum(paths.measured("connectivity")),
    log:
        paths.log("connectivity", *SHARE),
    benchmark:
        paths.benchmark("connectivity", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("connectivity"),
        code=code_digest("connectivity"),
    shell:
        f"python -m phasezoo step connectivity {MEASURE}"


rule similarity:
    """CKA and distance between the seeds of every cell."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("similarity"),
        checksum=paths.checksum(paths.measured("similarity")),
    log:
        paths.log("similarity", *SHARE),
    benchmark:
        paths.benchmark("similarity", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("similarity"),
        code=code_digest("similarity"),
    shell:
        f"python -m phasezoo step similarity {MEASURE}"


rule spectra:
    """Norms and heavy tails of the weights of a share of cells."""
    input:
        data=PLAN.data_of,
        weights=PLAN.started_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.started_weights)),
    output:
        found=paths.measured("spectra"),
        checksum=paths.checksum(paths.measured("spectra")),
    log:
        paths.log("spectra", *SHARE),
    benchmark:
        paths.benchmark("spectra", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("spectra"),
        code=code_digest("spectra"),
    shell:
        f"python -m phasezoo step spectra {MEASURE}"


rule noise:
    """Noise of the gradient at the models of a share of cells."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("noise"),
        checksum=paths.checksum(paths.measured("noise")),
    log:
        paths.log("noise", *SHARE),
    benchmark:
        paths.benchmark("noise", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("noise"),
        code=code_digest("noise"),
    shell:
        f"python -m phasezoo step noise {MEASURE}"


rule learning_coefficient:
    """Local learning coefficients of the models of a share of cells."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("learning_coefficient"),
        checksum=paths.checksum(paths.measured("learning_coefficient")),
    log:
        paths.log("learning_coefficient", *SHARE),
    benchmark:
        paths.benchmark("learning_coefficient", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("learning_coefficient"),
        code=code_digest("learning_coefficient"),
    shell:
        f"python -m phasezoo step learning_coefficient {MEASURE}"


rule statistics:
    """Moments, quartiles and norms of the weights of a share of cells."""
    input:
        data=PLAN.data_of,
        weights=PLAN.measured_weights,
        beside=ancient(PLAN.beside(PLAN.data_of, PLAN.measured_weights)),
    output:
        found=paths.measured("statistics"),
        checksum=paths.checksum(paths.measured("statistics")),
    log:
        paths.log("statistics", *SHARE),
    benchmark:
        paths.benchmark("statistics", *SHARE)
    conda:
        "../envs/phasezoo.yaml"
    resources:
        gpu=PLAN.gpus,
    params:
        job=PLAN.measure_job("statistics"),
        code=code_digest("statistics"),
    shell:
        f"python -m phasezoo step statistics {MEASURE}"


rule collect_metrics:
    """The metrics of a zoo, joined on its full declared grid."""
    input:
        PLAN.measurements("metrics"),
        ancient(PLAN.beside(PLAN.measurements("metrics"))),
    output:
        found=paths.METRICS,
        checksum=paths.checksum(paths.METRICS),
    log:
        paths.log("collect_metrics", "zoo"),
    benchmark:
        paths.benchmark("collect_metrics", "zoo")
    conda:
        "../envs/phasezoo.yaml"
    params:
        job=PLAN.collect_job("metrics"),
        code=code_digest("collect"),
    shell:
        "python -m phasezoo step collect --job {params.job:q} --output {output.found} 2> {log}"
