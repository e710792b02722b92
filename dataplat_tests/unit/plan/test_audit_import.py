"""The old auditor's ``config.yaml`` becomes an audit, and what does not is said (A39 to A42)."""

from typing import Any

from dataplat.plan.audit_import import convert_audit
from dataplat.specs.audit import AuditSpec

HOURS = {"type": "range", "start": 0, "end": 23, "pad": 2}
LOOK = "its last value is 23, please look whether it was so"


def schedule(**fields: Any) -> dict[str, Any]:
    table = {"name": "t", "hdfs_path": "/t/${data_date}/${hour}", "format": "orc"} | fields.pop("table", {})
    return {"task_name": "task", "tables": [table]} | fields


def test_what_has_the_same_names_stays_as_it_is_a39() -> None:
    old = {
        "defaults": {"python_concurrency": 2},
        "limits": {"max_jar_threads": 4},
        "schedules": [
            schedule(platform_id="007", period_type="hourly", table={"delimiter": "\\001", "threads": 3})
        ],
    }
    converted = convert_audit(old)
    assert (converted.content, converted.notes) == (old, ())
    AuditSpec.model_validate(converted.content)


def test_loops_move_out_of_their_schedules_a42() -> None:
    loops = {"province": {"type": "enum", "values": ["gd", "bj"]}, "hour": HOURS}
    converted = convert_audit({"schedules": [schedule(loop_var=loops), schedule(loop_var={"hour": HOURS})]})
    assert converted.content["loop_variables"] == loops
    assert [one["loop_var"] for one in converted.content["schedules"]] == ["province&hour", "hour"]
    assert converted.notes == (f"loop_variables.hour: {LOOK}",)


def test_two_loops_of_one_name_and_different_values_are_told_apart_a42() -> None:
    half = HOURS | {"end": 11}
    converted = convert_audit(
        {"schedules": [schedule(loop_var={"hour": HOURS}), schedule(loop_var={"hour": half})]}
    )
    assert converted.content["loop_variables"] == {"hour": HOURS, "hour_2": half}
    assert converted.content["schedules"][1]["loop_var"] == "hour_2"
    assert converted.notes[0] == (
        "schedules[1].loop_var: hour is called hour_2, write ${hour_2} in this schedule"
    )


def test_computed_loops_multiply_nothing_a42() -> None:
    loops = {"hour": HOURS, "next": {"type": "computed", "value": "h${hour}"}}
    assert (
        convert_audit({"schedules": [schedule(loop_var=loops)]}).content["schedules"][0]["loop_var"] == "hour"
    )


def test_formats_are_spelled_anew_and_it_is_said() -> None:
    converted = convert_audit({"schedules": [schedule(table={"format": "TEXT"})]})
    assert converted.content["schedules"][0]["tables"][0]["format"] == "textfile"
    assert converted.notes == ("schedules[0].tables[0].format: TEXT is called textfile here",)


def test_what_has_no_place_is_left_out_and_said() -> None:
    old = {
        "jar": "x.jar",
        "defaults": {"java_home": "/j"},
        "schedules": [schedule(owner="ann", table={"owner": "bob", "partition_template": None})],
    }
    converted = convert_audit(old)
    assert converted.content == {"defaults": {}, "schedules": [schedule()]}
    assert converted.notes == (
        "defaults.java_home: has no place here, and was left out",
        "schedules[0].owner: has no place here, and was left out",
        "schedules[0].tables[0].owner: has no place here, and was left out",
        "jar: has no place in an audit, and was left out",
    )


def test_content_that_is_nonsense_is_kept_for_the_check_to_judge() -> None:
    old: dict[str, Any] = {"schedules": ["x", {"task_name": "t", "tables": ["y"]}], "limits": 5}
    assert convert_audit(old).content == {"schedules": ["x", {"task_name": "t", "tables": ["y"]}]}
