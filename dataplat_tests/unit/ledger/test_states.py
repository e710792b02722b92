"""The state machine, pure."""

import itertools

import pytest

from dataplat.errors import LedgerError
from dataplat.ledger import VersionState as S
from dataplat.ledger.states import SUCCESSORS, refuse_illegal

LEGAL = {
    (S.STAGING, S.STAGED),
    (S.STAGED, S.PUBLISHING),
    (S.PUBLISHING, S.PUBLISHED),
    (S.PUBLISHED, S.SUPERSEDED),
    (S.STAGING, S.REJECTED),
    (S.STAGED, S.REJECTED),
    (S.STAGING, S.ABANDONED),
    (S.STAGED, S.ABANDONED),
    (S.PUBLISHING, S.ABANDONED),
    (S.SUPERSEDED, S.PUBLISHING),
    (S.PUBLISHING, S.SUPERSEDED),
    (S.SUPERSEDED, S.COLLECTED),
    (S.REJECTED, S.COLLECTED),
    (S.ABANDONED, S.COLLECTED),
}


@pytest.mark.parametrize(("found", "to"), list(itertools.product(S, S)), ids=str)
def test_exactly_the_listed_steps_are_legal(found: S, to: S) -> None:
    if (found, to) in LEGAL:
        refuse_illegal("ods.orders", "2026-03-01", "v1", found, to)
    else:
        with pytest.raises(LedgerError):
            refuse_illegal("ods.orders", "2026-03-01", "v1", found, to)


def test_what_is_visible_is_never_collected_or_rejected_directly() -> None:
    assert SUCCESSORS[S.PUBLISHED] == {S.SUPERSEDED}


def test_every_state_but_collected_leads_on_to_collected() -> None:
    for state in S:
        reached, border = {state}, {state}
        while border:
            border = {after for before in border for after in SUCCESSORS[before]} - reached
            reached |= border
        assert S.COLLECTED in reached


def test_an_illegal_step_names_the_legal_ones() -> None:
    with pytest.raises(LedgerError) as error:
        refuse_illegal("ods.orders", "2026-03-01", "20260302T020109-4f1c9a", S.PUBLISHED, S.STAGED)
    assert str(error.value) == (
        "ods.orders[2026-03-01]: version 20260302T020109-4f1c9a is published and cannot become staged\n"
        "  expected   superseded, after published\n"
        "  effect     the ledger was not changed\n"
        "  next       dataplat ledger ods.orders 2026-03-01"
    )


def test_the_end_is_called_the_end() -> None:
    with pytest.raises(LedgerError) as error:
        refuse_illegal("ods.orders", "2026-03-01", "v1", S.COLLECTED, S.PUBLISHING)
    assert str(error.value) == (
        "ods.orders[2026-03-01]: version v1 is collected and cannot become publishing\n"
        "  expected   nothing: collected is the end\n"
        "  effect     the ledger was not changed\n"
        "  next       dataplat ledger ods.orders 2026-03-01"
    )
