"""What pydantic found, in our words: paths with list indices, expected and found, did you mean.

Pydantic's own texts never reach people: they speak of Python types and quote the input, secrets included.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dataplat.specs.base import DeclaredSpec
from dataplat.specs.documents import Declared
from dataplat.specs.problems import Loc, Problem, did_you_mean
from dataplat.specs.values import shown

_Explain = Callable[[ErrorDetails, Mapping[str, Any]], str]

_EXPECTED = {
    "string_type": "text (in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}
_TEXTS: dict[str, _Explain] = {
    "value_error": lambda error, ctx: str(ctx["error"]),
    "literal_error": lambda error, ctx: _literal(error["input"], ctx["expected"]),
    "greater_than_equal": lambda error, ctx: f"expected at least {ctx['ge']}, found {shown(error['input'])}",
    "less_than_equal": lambda error, ctx: f"expected at most {ctx['le']}, found {shown(error['input'])}",
    "string_too_short": lambda error, ctx: "expected text, found nothing between the quotes",
    "too_short": lambda error, ctx: "expected at least one item, found an empty list",
    "string_pattern_mismatch": lambda error, ctx: (
        f"expected letters, digits and _, found {shown(error['input'])}"
    ),
}


def explain(
    error: ValidationError, model: type[DeclaredSpec], value: Any, declared: Declared
) -> Iterator[Problem]:
    """Yield one problem for each thing that pydantic found in ``value``."""
    for detail in error.errors(include_url=False):
        loc = _written(detail["loc"], value)
        if detail["type"] == "missing":
            key = str(detail["loc"][-1])
            yield Problem(
                declared.file, declared.line(*loc), _path(declared, (*loc, key)), "is required, and missing"
            )
            continue
        yield declared.problem(loc, _text(detail, model, loc))


def _path(declared: Declared, loc: Loc) -> str:
    return declared.problem(loc, "").path


def _text(detail: ErrorDetails, model: type[DeclaredSpec], loc: Loc) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _keys(model, loc)
        return "unknown key" + (
            did_you_mean(str(loc[-1]), known) or f"; known are {', '.join(sorted(known))}"
        )
    if _is_secret(model, loc) and kind != "value_error":
        return "cannot be read as a secret"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {shown(detail['input'])}"
    if kind in _TEXTS:
        return _TEXTS[kind](detail, detail.get("ctx", {}))
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {shown(detail['input'])}"


def _is_secret(model: type[DeclaredSpec], loc: Loc) -> bool:
    paths = (".".join(map(str, loc[:length])) for length in range(1, len(loc) + 1))
    return any(path in model.secret_keys for path in paths)


def _literal(value: object, expected: str) -> str:
    allowed = expected.replace("'", "").replace(" or ", ", ").split(", ")
    hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
    return f"{shown(value)} is unknown{hint or ';'} allowed: {', '.join(allowed)}"


def _written(loc: Loc, value: Any) -> Loc:
    """Keep those parts of pydantic's location that are in the file, not the names of its union members."""
    kept: list[str | int] = []
    for part in loc:
        if _leads_on(part, value):
            value = value[part]
            kept.append(part)
    return tuple(kept)


def _leads_on(part: str | int, value: Any) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys of the model that holds the last part of ``loc``."""
    for part in loc[:-1]:
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                model = _model_in(field.annotation) or model
                break
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
