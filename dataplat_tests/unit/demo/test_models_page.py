"""What `docs/models.md` says is what files and analysis say; ``e2e`` types its commands."""

import re
from pathlib import Path

import pytest

from dataplat.plan.models.reading import build_graph
from dataplat.plan.widths import MAX_PARTITIONS_A_WRITE
from dataplat.specs import ModelSpec
from dataplat_tests.unit.plan.models.builders import catalog, loaded, model

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```yaml\n# (config/\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PATTERNS = re.findall(r"^\| `(ds .*?)` \| `(.*?)` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("file", "text"), FILES)
def test_a_file_of_the_page_is_the_shipped_one(file: str, text: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == text


def test_files_and_patterns_were_found() -> None:
    assert (len(FILES), len(PATTERNS)) == (2, 6)


@pytest.mark.parametrize(("condition", "mapping"), PATTERNS)
def test_a_pattern_is_read_as_the_page_says(condition: str, mapping: str) -> None:
    spec = model(f"SELECT id FROM ods.x WHERE {condition}")
    (upstream,) = build_graph(catalog(spec, loaded("ods.x", ["id"]))).upstreams(spec.table)
    assert str(upstream) == f"ods.x: {mapping}"


def test_every_key_of_the_page_is_one_of_a_model() -> None:
    keys = set(re.findall(r"^\| `(\w+): ", TEXT, re.MULTILINE))
    assert keys == {"reads", "upstreams", "trigger", "depends_on_past"}
    assert keys <= set(ModelSpec.model_fields)


def test_the_page_knows_how_many_partitions_are_one_write() -> None:
    assert MAX_PARTITIONS_A_WRITE == 4
    assert "Four days are one write" in TEXT
