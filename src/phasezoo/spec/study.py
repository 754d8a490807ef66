"""Spec of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from phasezoo.spec.base import NAME, Spec, Text, refused, require_unique
from phasezoo.spec.data import DataSpec
from phasezoo.spec.fit import check_fit
from phasezoo.spec.zoo import Zoo


class Study(Spec):
    """Everything `params.yaml` says."""

    run: Annotated[tuple[Text, ...], Field(min_length=1)]
    data: dict[str, DataSpec]
    zoos: dict[str, Zoo]

    @model_validator(mode="after")
    def _names_known(self) -> Study:
        require_unique("run", self.run, "zoo")
        for section, names in (("data", self.data), ("zoos", self.zoos)):
            for name in names:
                if not NAME.fullmatch(name):
                    rule = "names of small letters, digits and single hyphens"
                    raise refused(f"{section}.{name}", name, rule)
        for name in self.run:
            if name not in self.zoos:
                raise refused("run", name, f"the declared zoos {', '.join(self.zoos)}")
        for name, zoo in self.zoos.items():
            check_fit(name, zoo, self.data)
        return self
