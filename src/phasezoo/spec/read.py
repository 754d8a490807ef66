"""From a mapping or a file to a validated study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from phasezoo.spec.base import SpecError, explain
from phasezoo.spec.zoo import Study

DEFAULT_FILE = "params.yaml"


def study_from(given: Mapping[str, Any], source: str = DEFAULT_FILE) -> Study:
    """Validate what a YAML file says.

    Raises:
        SpecError: one line per problem, each naming source, key, value and what is allowed.
    """
    given = dict(given)
    try:
        return Study.model_validate(given)
    except ValidationError as problems:
        raise explain(problems, given, source) from None


def read_study(path: Path) -> Study:
    """Read and validate a spec file.

    Raises:
        SpecError: no such file, no YAML, or no valid spec.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; allowed: the path of a params.yaml") from None
    except yaml.YAMLError as problem:
        raise SpecError(f"{path}: not YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(given, dict):
        raise SpecError(f"{path}: got {given!r}; allowed: a mapping with the keys run, data, zoos")
    return study_from(given, str(path))
