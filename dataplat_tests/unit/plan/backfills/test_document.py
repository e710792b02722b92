"""``plan.json``: what is written is what is read, and what somebody edited is refused."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dataplat.errors import SelectionError
from dataplat.plan.backfills.document import (
    BackfillPlan,
    PlannedRun,
    PlannedTable,
    named,
    parse_plan,
    render_plan,
)


def plan() -> BackfillPlan:
    return named(
        BackfillPlan.model_validate(
            {
                "created": datetime(2026, 3, 20, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
                "timezone": "Asia/Shanghai",
                "select": "ods.a",
                "from": "2026-03-01",
                "to": "2026-03-02",
                "tables": {
                    "ods.a": PlannedTable(
                        grain="day", config="0123456789ab", partitions=2, absent=2, outdated=0, unchanged=0
                    )
                },
                "runs": (
                    PlannedRun(
                        run=1, table="ods.a", partitions=("2026-03-01", "2026-03-02"), rows=None, seconds=1.5
                    ),
                ),
                "sources": {},
                "held": (),
                "left_out": (),
                "outside": (),
                "unfollowed": (),
            }
        )
    )


def test_a_plan_that_was_written_is_read_as_it_was() -> None:
    assert parse_plan(render_plan(plan()), "plan.json") == plan()
    assert plan().id == "20260320T090000-" + plan().id[-6:]
    assert plan().partitions == {"ods.a": ("2026-03-01", "2026-03-02")}


def test_each_partition_is_a_line_so_that_a_diff_says_which_is_new() -> None:
    lines = render_plan(plan()).splitlines()
    assert '        "2026-03-01",' in lines
    assert '        "2026-03-02"' in lines
    assert lines[1] == '  "version": 1,'


def test_the_id_is_another_one_as_soon_as_anything_is_different() -> None:
    other = plan().model_copy(update={"select": "ods.b"})
    assert named(other).id != plan().id
    assert named(plan()).id == plan().id


def edited(**changes: object) -> str:
    return json.dumps(json.loads(render_plan(plan())) | changes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[]",
            "p.json: this is no backfill plan\n  expected   what `backfill plan -o` wrote\n",
        ),
        (
            edited(version=2),
            "p.json: the plan has version 2\n  expected   version 1\n",
        ),
        (
            edited(surprise=1),
            "p.json: this is no backfill plan\n  found    surprise: Extra inputs are not permitted\n",
        ),
        (
            edited(select="ods.b"),
            (
                "p.json: the plan was changed after it was made\n"
                f"  expected   what was planned as {plan().id}, as it was\n"
            ),
        ),
    ],
)
def test_what_is_no_plan_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse_plan(text, "p.json")
    said = str(caught.value)
    assert said.startswith(problem)
    assert [line.strip().split(None, 1) for line in said.removeprefix(problem).splitlines()] == [
        ["effect", "nothing was run"],
        ["next", "dataplat backfill plan --select … --from … --to … -o p.json"],
    ]
