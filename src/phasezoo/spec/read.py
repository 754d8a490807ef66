"""From a mapping or a file to a validated study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from phasezoo.spec.base import SpecError, explain
from phasezoo.spec.study import Study

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
        given = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as problem:
        got, allowed = problem.strerror or str(problem), "a file that can be read"
        raise SpecError(f"{path}: the file: got {got}; allowed: {allowed}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        got = " ".join(str(problem).split())
        raise SpecError(f"{path}: the file: got {got}; allowed: YAML in UTF-8") from None
    if not isinstance(given, dict):
        allowed = "a mapping with the keys run, data, zoos"
        raise SpecError(f"{path}: the file: got {given!r}; allowed: {allowed}")
    return study_from(given, str(path))


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice in one mapping is an error; PyYAML keeps the last."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._flat: set[int] = set()  # nodes that have taken in what `<<` brings

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if id(node) in self._flat:  # merged into another mapping before, with all its keys
            return
        self._flat.add(id(node))
        seen: set[str] = set()
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:  # before `<<` brings in keys that may be overwritten
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{key.value}' twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        super().flatten_mapping(node)
