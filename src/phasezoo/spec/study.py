"""Spec of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from phasezoo.spec.base import NAME, Spec, Text, refused, require_unique
from phasezoo.spec.data import DataSpec
from phasezoo.spec.fit import check_fit
from phasezoo.spec.region_fit import check_regions
from phasezoo.spec.regions import Regions
from phasezoo.spec.zoo import Zoo


class Study(Spec):
    """Everything `params.yaml` says.

    Attributes:
        run: names of the zoos and of the region studies that are made.
    """

    run: Annotated[tuple[Text, ...], Field(min_length=1)]
    data: dict[str, DataSpec]
    zoos: dict[str, Zoo]
    regions: dict[str, Regions] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_known(self) -> Study:
        require_unique("run", self.run, "zoo")
        for section, names in (
            ("data", self.data),
            ("zoos", self.zoos),
            ("regions", self.regions),
        ):
            for name in names:
                if not NAME.fullmatch(name):
                    rule = "names of small letters, digits and single hyphens"
                    raise refused(f"{section}.{name}", name, rule)
        for name in self.run:
            if name not in {*self.zoos, *self.regions}:
                known = f"the declared zoos {', '.join(self.zoos)}"
                more = f", and region studies {', '.join(self.regions)}" if self.regions else ""
                raise refused("run", name, known + more)
        for name, zoo in self.zoos.items():
            check_fit(name, zoo, self.data)
        for name, regions in self.regions.items():
            check_regions(name, regions, self.zoos, self.data)
        return self

    @property
    def zoos_of_run(self) -> tuple[str, ...]:
        """The zoos of the run."""
        return tuple(name for name in self.run if name in self.zoos)

    @property
    def regions_of_run(self) -> tuple[str, ...]:
        """The region studies of the run."""
        return tuple(name for name in self.run if name in self.regions)
