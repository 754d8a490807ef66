"""The tiny study on a real Slurm; skipped where there is none, see cluster.sh."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from slurm.cluster import SNAKEMAKE, Cluster
from workflow.project import Project

pytestmark = [pytest.mark.workflow]

CELL = "runs/tiny/3/20/0+1/0+1+2.json"


def test_a_study_on_slurm_is_the_same_to_the_byte_as_here(on_slurm: Project, locally: Project):
    assert on_slurm.manifests() == locally.manifests()
    assert on_slurm.planned() == Counter()


def test_every_rule_is_a_job_of_its_own_with_the_memory_of_the_profile(
    cluster: Cluster, on_slurm: Project
):
    jobs = cluster.jobs(on_slurm)
    assert Counter(job.rule for job in jobs) == Counter(
        data=2,
        train=4,
        evaluate=1,
        hessian=1,
        connectivity=1,
        similarity=1,
        merging=1,
        transfer=1,
        collect_metrics=1,
        collect_merging=1,
        collect_transfer=1,
        phases=1,
        publish=1,
        report=1,
    )
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.allocated["mem"] for job in jobs if job.rule == "train"} == {"4000M"}
    assert {job.allocated["mem"] for job in jobs if job.rule == "hessian"} == {"8000M"}
    assert not any("gres/gpu" in job.allocated for job in jobs)


def test_a_job_of_a_zoo_with_device_gpu_gets_one_gpu(cluster: Cluster, on_gpus: Project):
    jobs = cluster.jobs(on_gpus)
    assert Counter(job.rule for job in jobs) == Counter(data=1, train=4, evaluate=1)
    devices = cluster.devices(on_gpus)
    for job in jobs:
        asks = job.rule in {"train", "evaluate"}
        assert job.allocated.get("gres/gpu") == ("1" if asks else None)
        assert devices[job.identity] <= ({"0", "1", "2", "3"} if asks else {""})
        assert len(devices[job.identity]) == 1  # the job and the step in it see the same GPU


def test_one_gpu_a_job_does_not_mean_one_gpu_job_at_a_time(cluster: Cluster, on_gpus: Project):
    devices = cluster.devices(on_gpus)
    trained = [devices[job.identity] for job in cluster.jobs(on_gpus) if job.rule == "train"]
    assert len(set.union(*trained)) > 1


def test_a_killed_job_is_made_again_with_more_memory_in_the_same_run(
    cluster: Cluster, alone: Project, locally: Project
):
    with ThreadPoolExecutor() as pool:
        running = pool.submit(alone.run, *SNAKEMAKE, CELL)
        cluster.kill("train", alone)
    done = running.result()
    assert done.returncode == 0, done.stdout + done.stderr
    tried = [job for job in cluster.jobs(alone) if job.rule == "train"]
    assert [job.state for job in tried] == ["CANCELLED", "COMPLETED"]
    assert [job.allocated["mem"] for job in tried] == ["4000M", "8000M"]
    assert (alone.root / CELL).read_text() == (locally.root / CELL).read_text()


def test_a_killed_job_is_made_again_by_the_next_run(
    cluster: Cluster, alone: Project, locally: Project
):
    with ThreadPoolExecutor() as pool:
        running = pool.submit(alone.run, *SNAKEMAKE, "--retries", "0", CELL)
        cluster.kill("train", alone)
    failed = running.result()
    assert failed.returncode != 0
    assert "SLURM status is: 'CANCELLED" in failed.stdout + failed.stderr
    assert not (alone.root / CELL).exists()
    done = alone.run(*SNAKEMAKE, CELL)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = [job for job in cluster.jobs(alone) if job.rule == "train"]
    assert [job.state for job in tried] == ["CANCELLED", "COMPLETED"]
    assert (alone.root / CELL).read_text() == (locally.root / CELL).read_text()
