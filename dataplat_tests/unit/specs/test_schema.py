import json
from pathlib import Path

import pytest

from dataplat.specs import json_schema
from dataplat.specs.loader import KINDS
from dataplat_tests.conftest import Golden

FOLDER = Path(__file__).parents[3] / "config" / "schemas"


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_the_committed_schema_is_the_one_of_the_models(golden: Golden, kind: str) -> None:
    golden(FOLDER / f"{kind}.schema.json", json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_everything_in_a_schema_is_described(kind: str) -> None:
    schema = json_schema(kind)
    objects = [schema, *schema.get("$defs", {}).values()]
    missing = [
        f"{item['title']}.{name}"
        for holder in objects
        for item in [holder, *holder.get("anyOf", [])]
        for name, field in item.get("properties", {}).items()
        if "description" not in field
    ]

    assert missing == []


def test_a_schema_lets_the_short_forms_and_variables_through() -> None:
    table, source = json_schema("table"), json_schema("source")

    assert table["$defs"]["UniqueCheck"]["anyOf"][0]["anyOf"][0] == {"type": "string"}
    assert source["properties"]["port"]["anyOf"][1] == {"type": "string", "pattern": r"^\$\{"}
    assert source["additionalProperties"] is False
