"""`docs/source-protection.md` says what configuration, messages and queries really say."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from dataplat.cli.progress import subject
from dataplat.errors import SourceUnavailableError
from dataplat.ledger import ConnectionTicket
from dataplat.lifecycle.patience import patiently
from dataplat.lifecycle.protection import describe_waiting
from dataplat.sources.query_tag import query_tag
from dataplat.specs.source import BudgetSpec
from dataplat_tests.unit.ledger.builders import someone
from dataplat_tests.unit.sources.builders import source

PAGE = (Path(__file__).parents[3] / "docs" / "source-protection.md").read_text(encoding="utf-8")
TABLE = subject("ods.ods_t_order", ["2026-01-09"])


def blocks(language: str) -> list[str]:
    return [str(text) for text in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def test_every_key_of_the_page_is_one_and_none_is_left_out() -> None:
    (text,) = blocks("yaml")
    BudgetSpec.model_validate(yaml.safe_load(text)["budget"])
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(BudgetSpec.model_fields)
    assert set(yaml.safe_load(text)["budget"]) == set(BudgetSpec.model_fields) - {"lag_query"}


def test_the_waiting_of_the_page_is_what_a_load_says() -> None:
    since = datetime(2026, 1, 10, 2, 0, 7, tzinfo=UTC)
    ticket = ConnectionTicket(
        number=1,
        source="market",
        token="3f9c",
        connections=4,
        purpose="ods.ods_t_user[2026-01-09]",
        owner=someone(run_id="0ce1"),
        asked_at=since,
        granted_at=since,
        expires_at=since,
    )
    assert blocks("text")[0] == f"{TABLE}  wait  {describe_waiting(source(), [ticket])}\n"


def test_the_comment_of_the_page_is_what_queries_begin_with() -> None:
    tag = query_tag("3f9c21abd2e4f017", TABLE, run_id="0ce1", host="etl-7", pid=4711)
    assert blocks("text")[1] == f"{tag} SELECT …\n"


def test_the_attempts_of_the_page_are_those_of_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    naps: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", naps.append)

    def fail() -> None:
        raise SourceUnavailableError(TABLE, "the source went away during the read")

    with pytest.raises(SourceUnavailableError):
        patiently(fail, tries=BudgetSpec().tries, say=said.append)
    assert blocks("text")[2] == f"{TABLE}  wait  {said[1]}\n"
    assert f"{naps[0]:g}, {naps[1]:g} and {naps[2]:g} seconds" in PAGE
