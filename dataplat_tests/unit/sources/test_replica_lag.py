"""How far a replica is behind: what each server says, and what a user's own query may say."""

from typing import Any

import pytest

from dataplat.errors import SourceError
from dataplat.sources.replica_lag import replica_lag
from dataplat.specs import SourceSpec
from dataplat_tests.unit.sources.builders import source


class Server:
    """Answers statements by their text; an error stands for a refusal."""

    def __init__(self, spec: SourceSpec, **answers: Any) -> None:
        self.source = spec
        self._answers = {name.replace("_", " "): answer for name, answer in answers.items()}

    def rows(self, sql: str, *, subject: str) -> Any:
        return self._answer(sql)

    def records(self, sql: str, *, subject: str) -> Any:
        return self._answer(sql)

    def _answer(self, sql: str) -> Any:
        answer = self._answers[sql.removesuffix("()")]
        if isinstance(answer, Exception):
            raise answer
        return answer


def lag(spec: SourceSpec | None = None, version: str = "11.4.2-MariaDB", **answers: Any) -> float | None:
    server = Server(spec or source(), SELECT_VERSION=[(version,)], **answers)
    return replica_lag(server)  # type: ignore[arg-type]


def test_mariadb_is_asked_for_all_channels_and_the_slowest_counts() -> None:
    channels = [{"seconds_behind_master": 3}, {"seconds_behind_master": "17"}]
    assert lag(SHOW_ALL_SLAVES_STATUS=channels) == 17


def test_mysql_is_asked_in_new_words_and_an_old_one_in_old_words() -> None:
    assert lag(version="8.4.3", SHOW_REPLICA_STATUS=[{"seconds_behind_source": 2}]) == 2
    syntax = SourceError("source market", "the server cannot read the SQL")
    old = [{"seconds_behind_master": 9}]
    assert lag(version="5.7.44", SHOW_REPLICA_STATUS=syntax, SHOW_SLAVE_STATUS=old) == 9


def test_a_server_that_is_no_replica_is_never_behind() -> None:
    assert lag(SHOW_ALL_SLAVES_STATUS=[]) == 0


def test_replication_that_has_stopped_has_no_lag() -> None:
    assert lag(SHOW_ALL_SLAVES_STATUS=[{"seconds_behind_master": 1}, {"seconds_behind_master": None}]) is None


def test_an_account_without_the_right_is_told_which_one() -> None:
    refusal = SourceError(
        "source market",
        "the account may not do this",
        facts=[("server", "db.example:3306"), ("found", "Access denied (1227)"), ("declared", "x")],
    )
    with pytest.raises(SourceError) as caught:
        lag(SHOW_ALL_SLAVES_STATUS=refusal)
    assert str(caught.value) == (
        "source market: replica lag: the account may not ask how far the server is behind\n"
        "  server     db.example:3306\n"
        "  found      Access denied (1227)\n"
        "  declared   config/sources/market.yaml:7 budget.replica_lag_seconds\n"
        "  effect     nothing was read\n"
        "  next       GRANT REPLICA MONITOR ON *.* TO etl (MySQL: REPLICATION CLIENT)"
        "   or   declare budget.lag_query"
    )


def test_the_users_own_query_says_seconds_or_null() -> None:
    spec = source(budget={"replica_lag_seconds": 5, "lag_query": "SELECT lag"})
    assert lag(spec, SELECT_lag=[("2.5",)]) == 2.5
    assert lag(spec, SELECT_lag=[(None,)]) is None


@pytest.mark.parametrize(
    ("rows", "found"), [([], "no row"), ([(1,), (2,)], "several rows"), ([("slow",)], "slow")]
)
def test_a_query_that_says_no_number_is_refused(rows: list[Any], found: str) -> None:
    spec = source(budget={"replica_lag_seconds": 5, "lag_query": "SELECT lag"})
    with pytest.raises(SourceError) as caught:
        lag(spec, SELECT_lag=rows)
    assert str(caught.value) == (
        "source market: replica lag: the lag query returned no number\n"
        "  expected   one row with the seconds, or NULL while replication does not run\n"
        f"  found      {found}\n"
        "  declared   config/sources/market.yaml:7 budget.lag_query\n"
        "  effect     nothing was read\n"
        "  next       correct budget.lag_query"
    )
