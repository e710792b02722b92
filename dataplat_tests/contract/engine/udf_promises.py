"""What every engine mode keeps about UDFs; part of ``suite``."""

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dataplat.engine.translate import engine_errors
from dataplat.errors import EngineError
from dataplat.plan.models.spark_functions import SPARK_FUNCTIONS
from dataplat.udfs import Udf
from dataplat.udfs.parse_ip import parse_ip

SUBJECT = "dw.day[2026-01-09]"
TEXT = """\
def shout(words):
    import pyarrow.compute as pc
    return pc.utf8_upper(words)
"""
UDFS = """\
import threading
from acme_of_tests.text import shout
from dataplat.udfs import udf

LOCK = threading.Lock()

@udf(returns="string")
def loud(words):
    return shout(words)

@udf(returns="string")
def raises(words):
    raise ValueError("no such thing: 名\\nmore")

@udf(returns="bigint")
def wrong_type(words):
    return words

@udf(returns="string")
def too_few(words):
    return words[:0]

@udf(returns="strang")
def no_type(words):
    return words

@udf(returns="string")
def locked(words):
    with LOCK:
        return words
"""
EFFECT = "nothing was published: what was visible before is still visible"


def an_udf_and_what_its_package_holds_run_where_neither_can_be_imported(world: Any) -> None:
    udfs = _acme()
    session = world.engine.session_with([udfs["loud"], parse_ip], SUBJECT)
    rows = session.sql(
        "SELECT loud(ip) AS a, Parse_IP(ip) AS b FROM VALUES ('192.0.2.1x'), ('192.0.2.1'), (NULL) AS t(ip)"
    ).collect()
    assert [tuple(row) for row in rows] == [("192.0.2.1X", None), ("192.0.2.1", "北京"), (None, None)]


def an_udf_works_under_group_by_and_in_a_filter(world: Any) -> None:
    session = world.engine.session_with([parse_ip], SUBJECT)
    rows = session.sql(
        "SELECT parse_ip(concat('192.0.2.', id)) AS place, count(*) AS n FROM range(0, 32)"
        " WHERE parse_ip(concat('192.0.2.', id)) <> '天津' GROUP BY 1"
    ).collect()
    assert [tuple(row) for row in rows] == [("北京", 16)]


def what_goes_wrong_in_an_udf_is_one_message(world: Any) -> None:
    assert {name: _message(world, name) for name in EXPECTED} == EXPECTED


def the_functions_that_the_parser_knows_are_those_of_the_engine(world: Any) -> None:
    shown = {row[0] for row in world.sql("SHOW SYSTEM FUNCTIONS")}
    named = {name for name in shown if name[0].isalpha()}
    assert named - SPARK_FUNCTIONS == set()
    assert SPARK_FUNCTIONS - named == {"timestampadd", "timestampdiff", "try_cast"}


UDF_PROMISES: tuple[Callable[[Any], None], ...] = (
    an_udf_and_what_its_package_holds_run_where_neither_can_be_imported,
    an_udf_works_under_group_by_and_in_a_filter,
    what_goes_wrong_in_an_udf_is_one_message,
    the_functions_that_the_parser_knows_are_those_of_the_engine,
)


def _text(problem: str, found: str, declared: str, effect: str, following: str) -> str:
    return (
        f"{SUBJECT}: UDF {problem}\n  found      {found}\n  declared   {declared}\n"
        f"  effect     {effect}\n  next       {following}"
    )


EXPECTED = {
    "raises": _text(
        "raises failed", "ValueError: no such thing: 名 more", "acme_of_tests.udfs:13", EFFECT,
        "dataplat test dw.day",
    ),
    "wrong_type": _text(
        "wrong_type failed", "it returned string, declared to return bigint", "acme_of_tests.udfs", EFFECT,
        "dataplat test dw.day",
    ),
    "too_few": _text(
        "too_few failed", "it returned 0 values for 1 rows", "acme_of_tests.udfs", EFFECT,
        "dataplat test dw.day",
    ),
    "loud": _text(
        "loud failed", "called with 2 arguments, takes 1: words", "acme_of_tests.udfs", EFFECT,
        "dataplat test dw.day",
    ),
    "no_type": _text(
        "no_type returns no type of Spark", "strang", "acme_of_tests.udfs", "nothing was read or written",
        "dataplat check",
    ),
    "locked": _text(
        "locked cannot be sent to the engine", "cannot pickle '_thread.lock' object", "acme_of_tests.udfs",
        "nothing was read or written", "dataplat check",
    ),
}  # fmt: skip


def _message(world: Any, name: str) -> str:
    arguments = "'x', 'y'" if name == "loud" else "'x'"
    try:
        session = world.engine.session_with([_acme()[name]], SUBJECT)
        with engine_errors(SUBJECT):
            session.sql(f"SELECT {name}({arguments})").collect()
    except EngineError as error:
        return str(error)
    return "nothing went wrong"


def _acme() -> dict[str, Udf]:
    """A package that only this process can import."""
    if "acme_of_tests.udfs" not in sys.modules:
        folder = Path(tempfile.mkdtemp())
        package = folder / "acme_of_tests"
        package.mkdir()
        for name, text in {"__init__": "", "text": TEXT, "udfs": UDFS}.items():
            (package / f"{name}.py").write_text(text, encoding="utf-8")
        sys.path.append(str(folder))
        try:
            importlib.import_module("acme_of_tests.udfs")
        finally:
            sys.path.remove(str(folder))
    module = sys.modules["acme_of_tests.udfs"]
    return {name: value for name, value in vars(module).items() if isinstance(value, Udf)}
