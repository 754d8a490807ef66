"""The plan of region studies: what tuning, measuring and joining read and are told."""

from __future__ import annotations

from collections.abc import Iterator

from phasezoo import paths
from phasezoo.cell_plan import CellPlan, Wildcards, told
from phasezoo.spec import jobs, region_jobs
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.region_fit import start_architecture, tuned_architecture
from phasezoo.spec.regions import START, Regions, StartModel
from phasezoo.vocabulary import LOAD, TEMPERATURE
from phasezoo.weights_plan import made_together, shares, weights_manifest


class RegionPlan(CellPlan):
    """Inputs and jobs of the rules that work on region studies."""

    def start_data(self, wildcards: Wildcards) -> str:
        """Manifest of the data set that a start was trained on."""
        return self._origin(wildcards)[1]

    def start_weights(self, wildcards: Wildcards) -> str:
        """Manifest of the weights of a start."""
        return self._origin(wildcards)[0]

    def target_data(self, wildcards: Wildcards) -> str:
        """Manifest of the data set that models are tuned to, or measured on."""
        return paths.DATA_MANIFEST.format(dataset=wildcards.dataset)

    def tuned_weights(self, wildcards: Wildcards) -> list[str]:
        """Manifests of all models tuned from the first start."""
        of = self._regions(wildcards)
        return region_jobs.tuned_manifests(wildcards.regions, START, of.datasets, of.seeds)

    def all_tuned(self, wildcards: Wildcards) -> list[str]:
        """Manifests of all models tuned from any start."""
        return region_jobs.all_tuned(wildcards.regions, self._regions(wildcards))

    def measured_on(self, wildcards: Wildcards) -> list[str]:
        """What was measured on every target."""
        return self.measured_of_regions(wildcards.regions)

    def start_manifests(self, wildcards: Wildcards) -> list[str]:
        """Manifests of the weights of all starts, and of the data sets they were trained on."""
        origins = self._origins(self._regions(wildcards)).values()
        return list(dict.fromkeys(path for of_start in origins for path in of_start))

    def region_gpus(self, wildcards: Wildcards) -> int:
        """GPUs a job of a region study asks for: one or none."""
        return int(self._regions(wildcards).device == "gpu")

    def tune_job(self, wildcards: Wildcards) -> str:
        """What `tune_regions` is told."""
        regions, called = self._regions(wildcards), wildcards.start
        job = region_jobs.TuneJob(
            recipe=regions.recipe,
            regions=wildcards.regions,
            called=called,
            start=self._place(regions.starts[called]),
            architecture=self._other_architecture(regions),
            dataset=wildcards.dataset,
            seeds=paths.parse_numbers(wildcards.block),
            tuning=regions.tuning,
        )
        return told(job)

    def measure_regions_job(self, wildcards: Wildcards) -> str:
        """What `measure_regions` is told."""
        regions = self._regions(wildcards)
        job = region_jobs.MeasureRegionsJob(
            regions=wildcards.regions,
            start=self._place(regions.start),
            architecture=self._other_architecture(regions),
            families=regions.families,
            domains=regions.domains,
            seeds=regions.seeds,
            target=wildcards.dataset,
            probe=regions.probe,
            groups=regions.groups,
            lines=regions.lines,
            efficient=regions.efficient,
        )
        return told(job)

    def join_regions_job(self, wildcards: Wildcards) -> str:
        """What `collect_regions` is told."""
        regions = self._regions(wildcards)
        other = regions.other_start
        job = region_jobs.JoinRegionsJob(
            regions=wildcards.regions,
            title=regions.title,
            references=regions.references,
            licence=regions.licence,
            start=self._place(regions.start),
            other_start=None if other is None else self._place(other),
            origins=self._origins(regions),
            architecture=self._other_architecture(regions),
            families=regions.families,
            domains=regions.domains,
            seeds=regions.seeds,
            doubt=regions.doubt,
        )
        return told(job)

    def of_regions(self, name: str) -> Iterator[str]:
        """Every artefact of one region study, with the data sets and the starts it is made from."""
        for manifest in (*self._before(name), *self.tuned_of(name)):
            yield manifest
            yield manifest.removesuffix(".json") + ".zarr"
        yield from self.measured_of_regions(name)
        yield paths.REGIONS.format(regions=name)

    def data_of_regions(self, name: str) -> list[str]:
        """Names of the data sets of a region study: of its starts, and those it is tuned to."""
        regions = self.study.regions[name]
        starts = [self.zoos[start.zoo].dataset for start in regions.starts.values()]
        return list(dict.fromkeys([*starts, *regions.datasets]))

    def region_parts_from(self, name: str, dataset: str) -> list[str]:
        """Weights and measurements of a region study that are made from one of its data sets."""
        regions = self.study.regions[name]
        starts = [s for s in regions.starts.values() if self.zoos[s.zoo].dataset == dataset]
        found = [path for start in starts for path in self._segments(start)]
        if dataset in regions.datasets:
            found += [path for path in self.tuned_of(name) if path.split("/")[4] == dataset]
            found += region_jobs.measured_files(name, (dataset,))
        return found

    def tuned_of(self, name: str) -> list[str]:
        """Manifests of all tuned models of a region study."""
        return region_jobs.all_tuned(name, self.study.regions[name])

    def measured_of_regions(self, name: str) -> list[str]:
        """All measurements of a region study."""
        return region_jobs.measured_files(name, self.study.regions[name].datasets)

    def region_labels(self) -> dict[str, set[str]]:
        """The declared labels in the paths of region studies, by wildcard."""
        studies = self.study.regions.values()
        return {
            "regions": set(self.study.regions),
            "start": {called for of in studies for called in of.starts},
            "block": {paths.numbers_label(block) for of in studies for block in of.seeds},
        }

    def starts_of(self, name: str) -> list[str]:
        """Manifests of the weights that a region study starts from, and of segments before them."""
        starts = self.study.regions[name].starts.values()
        found = [path for start in starts for path in self._segments(start)]
        return list(dict.fromkeys(found))

    def _before(self, name: str) -> list[str]:
        data = [paths.DATA_MANIFEST.format(dataset=d) for d in self.data_of_regions(name)]
        return [*data, *self.starts_of(name)]

    def _regions(self, wildcards: Wildcards) -> Regions:
        return self.study.regions[wildcards.regions]

    def _other_architecture(self, regions: Regions) -> Architecture | None:
        tuned = tuned_architecture(regions, self.zoos)
        return None if tuned == start_architecture(regions.start, self.zoos) else tuned

    def _place(self, start: StartModel) -> region_jobs.StartPlace:
        zoo = self.zoos[start.zoo]
        place = jobs.Place(
            zoo=start.zoo,
            load_name=zoo.load.hyperparameter,
            load=start.load,
            temperature_name=zoo.temperature.hyperparameter,
            seeds=next(block for block in zoo.seeds if start.seed in block),
        )
        return region_jobs.StartPlace(
            place=place,
            temperature=start.temperature,
            seed=start.seed,
            epoch=start.epoch,
            architecture=start_architecture(start, self.zoos),
        )

    def _origin(self, wildcards: Wildcards) -> tuple[str, str]:
        """The same of the start of a job; of the first where all its models are from that one."""
        called = getattr(wildcards, "start", START)
        return self._origins(self._regions(wildcards))[called]

    def _origins(self, regions: Regions) -> dict[str, tuple[str, str]]:
        """Manifests of the weights of each start and of the data set it was trained on."""
        return {
            called: (
                self._start_manifest(start),
                paths.DATA_MANIFEST.format(dataset=self.zoos[start.zoo].dataset),
            )
            for called, start in regions.starts.items()
        }

    def _start_manifest(self, start: StartModel) -> str:
        """The last of the segments up to the one with the epoch of a start."""
        return self._segments(start)[-1]

    def _segments(self, start: StartModel) -> list[str]:
        """Manifests of the cell of a start, or of the share it is trained in, up to its epoch."""
        zoo = self.zoos[start.zoo]
        block = next(block for block in zoo.seeds if start.seed in block)
        load, temperature = (
            next(
                label
                for share in shares(axis)
                for label in made_together(zoo, name, block, share)
                if axis.meaning.label(value) in label.split("+")
            )
            for axis, name, value in (
                (zoo.load, LOAD, start.load),
                (zoo.temperature, TEMPERATURE, start.temperature),
            )
        )
        position = next(i for i, s in enumerate(zoo.training.checkpoints) if start.epoch in s)
        return [
            weights_manifest(zoo, start.zoo, load, temperature, block, segment)
            for segment in zoo.training.checkpoints[: position + 1]
        ]
