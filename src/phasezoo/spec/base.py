"""What every part of the spec shares: strict numbers, frozen models, errors a user can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from phasezoo.vocabulary import PhasezooError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class SpecError(PhasezooError):
    """The spec cannot be used; one line per problem."""


def yaml_float(value: Any) -> Any:
    """Accept ``5e-4``, which YAML 1.1 hands over as text; refuse truth values."""
    if isinstance(value, bool):
        raise ValueError("a number")
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?e[-+]?\d+", value, re.IGNORECASE):
        return float(value)
    return float(value) if isinstance(value, int) else value


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return value


Float = Annotated[float, Strict(), BeforeValidator(yaml_float)]
PositiveFloat = Annotated[Float, Gt(0)]
NonNegativeFloat = Annotated[Float, Ge(0)]
Fraction = Annotated[Float, Ge(0), Lt(1)]
Share = Annotated[Float, Ge(0), Le(1)]
Int = Annotated[int, BeforeValidator(_whole)]
PositiveInt = Annotated[Int, Gt(0)]
NonNegativeInt = Annotated[Int, Ge(0)]
Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]


def _absent(value: object) -> bool:
    return value is None


# Left out of the JSON of jobs when absent, so that zoos without them read as they always did.
Absent = Field(default=None, exclude_if=_absent)


class Spec(BaseModel):
    """A frozen part of the spec; unknown keys are errors that list the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for key in given:
                if key not in cls.model_fields:
                    known = ", ".join(cls.model_fields)
                    raise PydanticCustomError(
                        "unknown_key", "one of the keys {known}", {"key": key, "known": known}
                    )
        return given


def refused(key: str, got: Any, allowed: str) -> PydanticCustomError:
    """The error of a check between fields: the key it is about (relative), its value, the rule."""
    return PydanticCustomError("refused", "{allowed}", {"key": key, "got": got, "allowed": allowed})


def require_unique(key: str, values: Sequence[Any], what: str) -> None:
    """Raise when `values` is empty or holds a value twice."""
    if not values:
        raise refused(key, [], f"at least one {what}")
    twice = sorted({v for v in values if list(values).count(v) > 1})
    if twice:
        raise refused(key, list(values), f"each {what} once ({twice[0]} is there twice)")


_ALLOWED = {
    "missing": "this key must be given",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "union_tag_not_found": "this key must be given",
}


def _allowed(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "union_tag_invalid":
            return f"one of {context['expected_tags']}"
        case "literal_error":
            return f"one of {context['expected']}"
        case "greater_than":
            return f"greater than {context['gt']:g}"
        case "greater_than_equal":
            return f"at least {context['ge']:g}"
        case "less_than":
            return f"less than {context['lt']:g}"
        case "less_than_equal":
            return f"at most {context['le']:g}"
        case "too_short":
            return f"at least {context['min_length']} of them"
        case "value_error":
            return str(context["error"])
        case "refused":
            return str(context["allowed"])
        case kind if kind in _ALLOWED:
            return _ALLOWED[kind].format(**context)
        case _:
            return error["msg"]


def _place(error: ErrorDetails, given: Any) -> str:
    """The dotted path of the offending key as it stands in the file.

    pydantic names the chosen member of a tagged union in the path; such names are no keys of the
    file and are left out.
    """
    path, here = "", given
    for part in error["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
            here = here[part] if isinstance(here, list | tuple) and part < len(here) else None
        elif isinstance(here, dict) and (part in here or error["type"] == "missing"):
            tag = part not in here and part != error["loc"][-1]
            path, here = (path, here) if tag else (f"{path}.{part}", here.get(part))
    context = error.get("ctx", {})
    match error["type"]:
        case "unknown_key" | "refused":
            path += f".{context['key']}"
        case "union_tag_invalid" | "union_tag_not_found":
            path += f".{context['discriminator'].strip(chr(39))}"
    return path.lstrip(".") or "the file"


def explain(problems: ValidationError, given: Any, source: str) -> SpecError:
    """One line per problem: source, key, value and what is allowed."""
    lines = []
    for error in problems.errors(include_url=False):
        place, value = _place(error, given), error["input"]
        match error["type"]:
            case "too_short" if len(value) >= error["ctx"]["min_length"]:
                continue  # only because a member was refused, which has its own line
            case "unknown_key":
                value = error["input"][error["ctx"]["key"]]
            case "refused":
                value = error["ctx"]["got"]
            case "union_tag_invalid":
                value = error["ctx"]["tag"]
        got = "nothing" if error["type"] in {"missing", "union_tag_not_found"} else _short(value)
        lines.append(f"{source}: {place}: got {got}; allowed: {_allowed(error)}")
    return SpecError("\n".join(dict.fromkeys(lines)))


def _short(value: Any, limit: int = 60) -> str:
    text = repr(_as_in_yaml(value))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _as_in_yaml(value: Any) -> Any:
    """Tuples as the lists they were in the file."""
    return [_as_in_yaml(v) for v in value] if isinstance(value, list | tuple) else value
