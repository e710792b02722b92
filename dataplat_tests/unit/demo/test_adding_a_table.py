"""`docs/adding-a-table.md` says what the configuration really says. Its commands are run in ``e2e``."""

import json
import re
import shutil
from pathlib import Path

import pytest

from dataplat.demo.schema import MARKET_TABLES
from dataplat.errors import SpecError
from dataplat.specs import load_catalog

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "adding-a-table.md").read_text(encoding="utf-8")
TABLE = "ods.ods_t_coupon_claim"


def test_the_file_of_the_page_is_a_table_of_the_shipped_configuration(tmp_path: Path) -> None:
    config = _written(tmp_path, _block("yaml"))
    assert load_catalog(config, {}).table(TABLE).key == ("id",)


def test_the_page_adds_a_table_that_is_not_there_yet() -> None:
    assert TABLE not in load_catalog(ROOT / "config", {}).tables


def test_the_mistakes_of_the_page_get_the_answer_of_the_page(tmp_path: Path) -> None:
    text = _block("yaml")
    for right, wrong in json.loads(re.findall(r"<!-- said of: (.*) -->", TEXT)[0]).items():
        assert right in text
        text = text.replace(right, wrong)
    with pytest.raises(SpecError) as raised:
        load_catalog(_written(tmp_path, text), {})
    assert str(raised.value) == _block("text").rstrip("\n")


def test_the_columns_of_the_page_are_those_of_the_source() -> None:
    source = re.findall(r"^\s+(\w+) [A-Z]+", MARKET_TABLES["t_coupon_claim"], re.MULTILINE)
    assert re.findall(r"^  (\w+) +[A-Z]+", _block("sql"), re.MULTILINE) == [n for n in source if n != "KEY"]


def test_the_files_that_the_page_points_to_exist() -> None:
    named = set(re.findall(r"config/ods/\w+\.yaml", TEXT)) - {"config/ods/ods_t_coupon_claim.yaml"}
    assert len(named) == 3
    assert [name for name in named if not (ROOT / name).is_file()] == []


def _block(language: str) -> str:
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(text)


def _written(folder: Path, text: str) -> Path:
    config = folder / "config"
    shutil.copytree(ROOT / "config", config)
    (config / "ods" / "ods_t_coupon_claim.yaml").write_text(text, encoding="utf-8")
    return config
