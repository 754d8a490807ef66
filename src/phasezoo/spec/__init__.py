"""The spec: `params.yaml` as frozen, typed, validated objects. No torch, no arrays."""

from phasezoo.spec.base import Spec, SpecError
from phasezoo.spec.read import read_study, study_from
from phasezoo.spec.study import Study
from phasezoo.spec.zoo import Zoo

__all__ = ["Spec", "SpecError", "Study", "Zoo", "read_study", "study_from"]
