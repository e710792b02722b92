"""`docs/large-tables.md` says what configuration and commands really say."""

import re
from pathlib import Path

import pytest
import yaml

from dataplat.lifecycle.explain import Explanation, PlanStep, Split
from dataplat.plan.full_scan import refuse_scan
from dataplat.plan.where_dates import rewrite_date_conditions
from dataplat.specs import TableSpec
from dataplat.specs.documents import Declared
from dataplat.specs.table import SplitSpec
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.sources.builders import source
from dataplat_tests.unit.specs.folder import Config

PAGE = (Path(__file__).parents[3] / "docs" / "large-tables.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def dataplat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(Config(tmp_path).dir, tmp_path / "home", capsys)


def test_the_keys_of_a_split_are_those_of_the_page() -> None:
    (split, *_) = (yaml.safe_load(text) for text in blocks("yaml"))

    assert set(SplitSpec.model_validate(split["split"]).model_fields_set) == set(SplitSpec.model_fields)


def test_the_conditions_of_the_page_are_sent_as_it_says() -> None:
    rows = re.findall(r"^\| `([^`]*(?:date)[^`]*)` \| ``(.*?)`` \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for written, sent in rows:
        assert rewrite_date_conditions(written, {"c": "datetime"}, "UTC").sql == sent.strip()


def test_what_is_refused_reads_as_on_the_page() -> None:
    lines = {("load",): 4, ("window", "column"): 5}
    declared = Declared("config/ods/ods_t_flow.yaml", Path("config/ods/ods_t_flow.yaml"), lines=lines)
    keys = {
        "table": "ods.ods_t_flow",
        "source": "market",
        "from": {"database": "shop", "table": "t_flow"},
        "load": "incremental",
        "window": {"column": "update_time"},
        "columns": "*",
    }
    spec = TableSpec.model_validate(keys).declared_in(declared)

    refused = refuse_scan(spec, "ods.ods_t_flow[2026-01-05]", source(), "shop.t_flow", 60_000_000)

    assert blocks("text")[1] == f"{refused}\n"


def test_a_consistent_snapshot_is_declared_as_on_the_page() -> None:
    keys = {"table": "ods.t", "source": "s", "from": {"database": "d", "table": "t"}, "columns": "*"}

    assert TableSpec.model_validate(keys | yaml.safe_load(blocks("yaml")[1])).snapshot == "consistent"


def test_the_splits_of_the_page_are_what_explain_prints(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds, rows = (7155432111104, 13820154347520), (1_993_021, 2_004_112, 1_998_870)
    predicates = (
        f"`__dp_split` < {bounds[0]}",
        f"`__dp_split` >= {bounds[0]} AND `__dp_split` < {bounds[1]}",
        f"`__dp_split` >= {bounds[1]}",
    )
    splits = tuple(
        Split("2026-01-05", predicate, number, PlanStep("t", "range", "PRIMARY", 2 * number, ""))
        for predicate, number in zip(predicates, rows, strict=True)
    )
    remark = "cut by id into ranges of about equal rows; a load cuts by what it has counted"
    nothing: tuple[()] = ()
    explained = Explanation(
        table="ods.ods_t_money_record",
        source="market",
        load="incremental",
        source_zone="Asia/Shanghai",
        shards=nothing,
        columns=nothing,
        windows=nothing,
        counts=nothing,
        reads=nothing,
        read_alone=False,
        splits=splits,
        rewritten=("date(at) = '2026-01-05'",),
        split_remark=remark,
        plans=nothing,
        refusal="the whole of a large table would be read at the source",
    )
    monkeypatch.setattr("dataplat.lifecycle.explain.explain_table", lambda *_: explained)

    ran = dataplat("explain", "ods.ods_t_money_record", "--date", "2026-01-05")

    assert ran.code == 0, ran.err
    assert blocks("text")[0] in ran.out
    assert "  date(at) = '2026-01-05': sent as a range, which an index serves\n" in ran.out
    assert "  a load is refused: the whole of a large table would be read at the source\n" in ran.out
