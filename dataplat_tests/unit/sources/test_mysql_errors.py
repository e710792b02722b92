"""What servers and drivers say becomes one message with the place in the file and in the statement."""

import pymysql
import pytest

from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.sources.mysql_errors import explain_error
from dataplat_tests.unit.sources.builders import source

Driver = pymysql.err.OperationalError


def test_a_wrong_password_names_the_line_of_the_password() -> None:
    said = "Access denied for user 'etl'@'10.0.0.1' (using password: YES)"
    assert str(explain_error(source(), Driver(1045, said))) == (
        "source market: the server refused the login\n"
        "  server     db.example:3306\n"
        "  found      Access denied for user 'etl'@'10.0.0.1' (using password: YES) (1045)\n"
        "  declared   config/sources/market.yaml:5 password\n"
        "  effect     nothing was read\n"
        "  next       dataplat check --connect"
    )


def test_a_server_that_is_down_names_the_line_of_the_host() -> None:
    said = "Can't connect to MySQL server on 'db.example' ([Errno 111] Connection refused)"
    error = explain_error(source(), Driver(2003, said), subject="ods.orders[2026-01-09]")
    assert isinstance(error, SourceUnavailableError)
    assert str(error) == (
        "ods.orders[2026-01-09]: the server cannot be reached\n"
        "  server     db.example:3306\n"
        "  found      Can't connect to MySQL server on 'db.example' ([Errno 111] Connection refused) (2003)\n"
        "  declared   config/sources/market.yaml:2 host\n"
        "  effect     nothing was read\n"
        "  next       dataplat check --connect"
    )


def test_bad_sql_is_shown_with_a_caret_under_the_place() -> None:
    said = "You have an error in your SQL syntax; check near 'FORM t\nLIMIT 1' at line 2"
    sql = "SELECT a,\n       b FORM t\nLIMIT 1"
    assert str(explain_error(source(), Driver(1064, said), sql=sql, effect="no partition was loaded")) == (
        "source market: the server cannot read the SQL\n"
        "  server   db.example:3306\n"
        "  found    You have an error in your SQL syntax; check near 'FORM t LIMIT 1' at line 2 (1064)\n"
        "  sql             b FORM t\n"
        "                    ^\n"
        "  effect   no partition was loaded\n"
        "  next     dataplat check"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    sql = "SELECT " + ", ".join(f"column_{number}" for number in range(40)) + ", nope FROM t"
    message = str(explain_error(source(), Driver(1054, "Unknown column 'nope' in 'SELECT'"), sql=sql))
    shown, caret = message.split("\n")[3:5]
    assert shown.startswith("  sql      … ")
    assert shown[caret.index("^") :].startswith("nope")
    assert len(shown) < 120


def test_a_mistake_at_the_end_has_the_caret_behind_it() -> None:
    said = "You have an error in your SQL syntax; check near '' at line 1"
    lines = str(explain_error(source(), Driver(1064, said), sql="select 1 from")).split("\n")
    assert lines[3:5] == ["  sql      select 1 from", "                        ^"]


@pytest.mark.parametrize(
    ("number", "retryable", "problem"),
    [
        (1040, True, "the server has no connection left"),
        (1049, False, "the database does not exist"),
        (1054, False, "a column does not exist at the source"),
        (1142, False, "the account may not do this"),
        (1146, False, "the table does not exist"),
        (1205, True, "a lock at the source was not released in time"),
        (1298, False, "the server does not know the time zone"),
        (1792, False, "the statement would write, and sources are only read"),
        (1969, False, "the server ended the query, it took too long"),
        (3024, False, "the server ended the query, it took too long"),
        (2006, True, "the connection was lost"),
        (2013, True, "the connection was lost"),
        (2026, False, "the encrypted connection failed"),
        (9999, False, "the server refused the statement"),
    ],
)
def test_the_number_decides_what_it_means_and_whether_to_try_again(
    number: int, retryable: bool, problem: str
) -> None:
    error = explain_error(source(), Driver(number, "said"))
    assert error.problem == problem
    assert isinstance(error, SourceError)
    assert isinstance(error, SourceUnavailableError) is error.retryable is retryable


def test_an_error_without_a_number_keeps_its_words() -> None:
    assert str(explain_error(source(), pymysql.err.InterfaceError("closed\nsocket"))) == (
        "source market: the server refused the statement\n"
        "  server   db.example:3306\n"
        "  found    closed socket\n"
        "  effect   nothing was read\n"
        "  next     dataplat check --connect"
    )
    assert "InterfaceError" in str(explain_error(source(), pymysql.err.InterfaceError()))


def test_the_budget_is_named_when_the_time_is_up() -> None:
    said = "Query execution was interrupted (max_statement_time exceeded)"
    limited = source(budget={"max_execution_seconds": 90})
    assert str(explain_error(limited, Driver(1969, said), subject="ods.orders[2026-01-09]")) == (
        "ods.orders[2026-01-09]: the server ended the query, it took too long\n"
        "  server     db.example:3306\n"
        "  found      Query execution was interrupted (max_statement_time exceeded) (1969)\n"
        "  allowed    90 s a query of market\n"
        "  declared   config/sources/market.yaml:7 budget.max_execution_seconds\n"
        "  effect     nothing was read\n"
        "  next       raise budget.max_execution_seconds"
    )
    error = explain_error(source(), Driver(1969, said))
    assert ("allowed", "what the server itself is set to") in error.facts
