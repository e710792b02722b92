"""JSON schemas of the configuration files, so that an editor completes and checks them while one types.

The schemas are generated from the models and committed under ``config/schemas``; a test compares them. They
know nothing between files: ``dataplat check`` does.
"""

from typing import Any

from dataplat.specs.loader import KINDS

_VARIABLE = {"type": "string", "pattern": r"^\$\{"}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the schema of one kind of file, as named in ``KINDS``. KeyError for any other."""
    model = {entry.name: entry.model for entry in KINDS}[kind]
    schema = model.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_with_variables(schema)}


def _with_variables(schema: Any) -> Any:
    """Let ``${NAME}`` stand where a number is wanted."""
    if isinstance(schema, list):
        return [_with_variables(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "integer":
        number = {key: schema[key] for key in ("type", "minimum", "maximum") if key in schema}
        rest = {key: value for key, value in schema.items() if key not in number}
        return {**rest, "anyOf": [number, _VARIABLE]}
    return {key: _with_variables(value) for key, value in schema.items()}
