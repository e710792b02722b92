"""What is taken from sources, in which order, and that everything is given back. No server is asked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataplat.ledger import Ledger, LockOwner
from dataplat.lifecycle import protection
from dataplat.lifecycle.protection import Protection, guarded_sources
from dataplat.sources.guard import ask_guard
from dataplat.specs import SecretResolver, SourceSpec
from dataplat.specs.documents import Declared
from dataplat_tests.unit.ledger.behaviour.locks import ended_process
from dataplat_tests.unit.sources.builders import source

SECRETS = SecretResolver({"MARKET_PASSWORD": "canary-7f3a"})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been asked of the watchdog and of servers, in order."""
    made: list[tuple[Any, ...]] = []
    monkeypatch.setattr(protection, "watch", lambda account, token: made.append(("watch", account.host)))
    monkeypatch.setattr(protection, "forget", lambda token: made.append(("forget",)))
    monkeypatch.setattr(
        protection,
        "end_queries",
        lambda account, tokens: made.append(("end", account.host, *tokens)) if tokens else None,
    )
    return made


def named(name: str, **changes: Any) -> SourceSpec:
    path = Path(f"config/sources/{name}.yaml")
    return source(host=name, **changes).declared_in(Declared(str(path), path))


def protect(ledger: Ledger, *sources: SourceSpec, say: Callable[[str], None] = print) -> Protection:
    return Protection(
        sources, SECRETS, ledger, purpose="ods.x[2026-01-09]", owner=LockOwner.current(run_id="r1"), say=say
    )


def taken(ledger: Ledger) -> list[tuple[str, int]]:
    return [(ticket.source, ticket.connections) for ticket in ledger.connections()]


def token(tag: str) -> str:
    """Return what a tag ``/* dataplat TOKEN … */`` names the work by."""
    return tag.split()[2]


def test_sources_are_taken_by_name_and_given_back(ledger: Ledger, calls: list[tuple[Any, ...]]) -> None:
    small = named("alpha", budget={"connections": 1})
    with protect(ledger, named("market"), small).held() as held:
        held.take()
        assert taken(ledger) == [("alpha", 1), ("market", 2)]
        assert held.tag("alpha") != held.tag("market")
        assert " ods.x[2026-01-09] run=r1 " in held.tag("alpha")
    assert taken(ledger) == []
    assert held.tag("alpha") == ""
    assert calls == [("watch", "alpha"), ("watch", "market"), ("forget",), ("forget",)]


def test_an_error_ends_the_queries_before_anything_is_given_back(
    ledger: Ledger, calls: list[tuple[Any, ...]]
) -> None:
    tokens: list[str] = []

    def interrupted() -> None:
        with protect(ledger, named("market")).held() as held:
            held.take()
            tokens.append(token(held.tag("market")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert calls == [("watch", "market"), ("end", "market", *tokens), ("forget",)]
    assert taken(ledger) == []


def test_the_queries_of_a_dead_holder_are_ended_before_its_connections_are_used(
    ledger: Ledger, calls: list[tuple[Any, ...]]
) -> None:
    dead = ledger.take_connections("market", 4, ended_process(), limit=4, purpose="dead")
    with protect(ledger, named("market")).held() as held:
        held.take()
        assert calls[-1] == ("end", "market", dead.token)


def test_threads_that_are_interrupted_are_not_waited_for(
    ledger: Ledger, calls: list[tuple[Any, ...]]
) -> None:
    with protect(ledger, named("market")).held() as held:
        held.take()
        with pytest.raises(ValueError, match="invalid literal"), held.threads(2) as pool:
            pool.submit(int, "broken").result()
        assert calls[-1] == ("end", "market", token(held.tag("market")))


def test_nothing_is_counted_where_nobody_guards() -> None:
    with ask_guard(named("market"), 1) as tag:
        assert tag == ""
    assert Protection.none().tag("market") == ""


def test_a_guard_counts_each_source_once_however_deep_it_is_opened(ledger: Ledger) -> None:
    market = named("market")
    with guarded_sources(lambda: ledger, SECRETS, purpose="dataplat explain ods.x"):
        with ask_guard(market, 1) as outer, ask_guard(market, 1) as inner, ask_guard(named("alpha"), 1):
            assert taken(ledger) == [("market", 1), ("alpha", 1)]
            assert outer == inner
            assert " dataplat_explain_ods.x " in outer
        assert taken(ledger) == []
    with ask_guard(market, 1) as tag:
        assert (tag, taken(ledger)) == ("", [])


def test_a_command_that_must_wait_says_how_much_it_wants(ledger: Ledger) -> None:
    others = ledger.take_connections("market", 4, LockOwner.current(), limit=4, purpose="others")
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        others.release()

    guarding = guarded_sources(lambda: ledger, SECRETS, purpose="explain", say=hear)
    with guarding, ask_guard(named("market"), 1):
        assert taken(ledger) == [("market", 1)]
    assert len(said) == 1
    assert said[0].startswith("for 1 of 4 connections of market; 4 are held by others (pid ")
