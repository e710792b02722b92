"""What Dagster makes of our events: the behaviour that ``orchestration/events.py`` relies on."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dagster as dg
import pytest

from dataplat.audit.outcome import NOT_HELD
from dataplat.errors import EngineLostError, SourceError
from dataplat.lifecycle.report import LoadReport
from dataplat_tests.contract.dagster.conftest import AUDITED, CHECKS, KEY, Stage, report_of

ONE, TWO, THREE = "2026-01-05", "2026-01-06", "2026-01-07"


def test_a_check_result_still_cannot_say_its_partition() -> None:
    """When it can, ``events`` needs neither evaluations nor its private import."""
    assert "partition" not in inspect.signature(dg.AssetCheckResult.__new__).parameters
    assert "partition" in inspect.signature(dg.AssetCheckEvaluation.__new__).parameters


def test_a_run_of_one_partition_is_one_materialization_with_an_evaluation_of_every_check(
    stage: Stage,
) -> None:
    assert stage.run(ONE).succeeded
    [materialization] = stage.materializations()
    assert materialization.partition_key == ONE
    for check in CHECKS:
        [evaluation] = stage.evaluations(check)
        assert (evaluation.partition, evaluation.passed) == (ONE, True)
        assert evaluation.blocking == (check != NOT_HELD)


def test_a_run_of_a_range_materializes_each_partition_with_its_own_numbers(stage: Stage) -> None:
    assert stage.run(ONE, TWO, THREE).succeeded
    assert stage.loads == [(ONE, TWO, THREE)]
    rows = {
        record.partition_key: record.asset_materialization.metadata["dagster/partition_row_count"].value
        for record in stage.materializations()
    }
    assert rows == {ONE: 5, TWO: 6, THREE: 7}
    assert len(stage.materializations()) == 3


def test_a_range_has_an_evaluation_of_every_check_for_each_partition(stage: Stage) -> None:
    stage.run(ONE, TWO, THREE)
    for check in AUDITED:
        found = {
            evaluation.partition: evaluation.metadata["rows"].value for evaluation in stage.evaluations(check)
        }
        assert found == {ONE: 5, TWO: 6, THREE: 7}


def test_an_evaluation_points_at_the_materialization_that_it_is_about(stage: Stage) -> None:
    stage.run(ONE, TWO)
    stage.run(ONE)
    newest = {partition: stage.materializations(partition)[0].storage_id for partition in (ONE, TWO)}
    for partition in (ONE, TWO):
        evaluation = next(item for item in stage.evaluations(CHECKS[0]) if item.partition == partition)
        assert evaluation.target_materialization_data.storage_id == newest[partition]


def test_a_rejected_partition_has_no_materialization_while_the_good_ones_of_its_range_have(
    stage: Stage,
) -> None:
    stage.script = lambda keys: iter([report_of({ONE: True, TWO: False, THREE: True})])
    result = stage.run(ONE, TWO, THREE)
    assert not result.succeeded
    assert {record.partition_key for record in stage.materializations()} == {ONE, THREE}
    outcomes = {evaluation.partition: evaluation.passed for evaluation in stage.evaluations(CHECKS[0])}
    assert outcomes == {ONE: True, TWO: False, THREE: True}


def test_the_partition_bar_shows_the_rejected_one_as_failed_and_the_others_as_made(stage: Stage) -> None:
    stage.script = lambda keys: iter([report_of({ONE: True, TWO: False})])
    stage.run(ONE, TWO)
    assert stage.status(ONE, TWO, THREE) == {ONE: "MATERIALIZED", TWO: "FAILED", THREE: "MISSING"}


def test_a_partition_that_was_published_before_stays_made_when_its_next_version_is_rejected(
    stage: Stage,
) -> None:
    stage.run(ONE)
    stage.script = lambda keys: iter([report_of({ONE: False})])
    stage.run(ONE)
    assert len(stage.materializations(ONE)) == 1
    assert stage.instance.get_materialized_partitions(KEY) == {ONE}
    assert [evaluation.passed for evaluation in stage.evaluations(CHECKS[0])] == [False, True]


def test_a_partition_that_was_not_even_read_has_an_evaluation_of_the_one_check_that_failed(
    stage: Stage,
) -> None:
    whole = report_of({ONE: True, TWO: False})
    good, bad = whole.partitions
    unread = replace(bad, outcomes=bad.failures[:1])
    stage.script = lambda keys: iter([replace(whole, partitions=(good, unread))])
    assert not stage.run(ONE, TWO).succeeded
    assert {record.partition_key for record in stage.materializations()} == {ONE}
    told = {check: {one.partition: one.passed for one in stage.evaluations(check)} for check in AUDITED}
    failed = bad.failures[0].check
    assert told == {check: {ONE: True} | ({TWO: False} if check == failed else {}) for check in AUDITED}


def test_the_message_of_a_rejection_is_what_the_run_ends_with(stage: Stage) -> None:
    stage.script = lambda keys: iter([report_of({ONE: False})])
    assert (
        stage.run(ONE).message
        == """\
ods.orders[2026-01-05]: check failed: row_count_matches_source
  source    6 rows
  files     5 rows
  missing   1, allowed 0 (config/ods/orders.yaml:1 table)
  effect    nothing was published: the partition was never published and stays absent, downstream is held
  next      dataplat ledger ods.orders 2026-01-05   or   dataplat load ods.orders --date 2026-01-05"""
    )


def test_a_rejection_is_not_tried_again(stage: Stage) -> None:
    stage.script = lambda keys: iter([report_of({ONE: False})])
    stage.run(ONE)
    assert stage.loads == [(ONE,)]


def test_an_engine_that_was_lost_is_tried_again_and_then_succeeds(stage: Stage) -> None:
    def once(keys: Sequence[str]) -> Iterator[LoadReport]:
        if len(stage.loads) == 1:
            raise EngineLostError("ods.orders", "the engine went away")
        yield report_of(dict.fromkeys(keys, True))

    stage.script = once
    assert stage.run(ONE).succeeded
    assert stage.loads == [(ONE,), (ONE,)]


def test_a_source_that_refuses_is_not_tried_again(stage: Stage) -> None:
    def refuse(keys: Sequence[str]) -> Iterator[LoadReport]:
        raise SourceError("ods.orders", "no such table")
        yield

    stage.script = refuse
    result = stage.run(ONE)
    assert (result.succeeded, result.message, stage.loads) == (False, "ods.orders: no such table", [(ONE,)])


def test_a_rejection_is_told_too_when_the_rest_of_the_run_cannot_be_made(stage: Stage) -> None:
    def half(keys: Sequence[str]) -> Iterator[LoadReport]:
        yield report_of({ONE: False})
        raise SourceError("ods.orders", "no such table")

    stage.script = half
    rejection, rest = stage.run(ONE, TWO).message.split("\n\n")
    assert rejection.startswith("ods.orders[2026-01-05]: check failed: row_count_matches_source\n")
    assert rest == "ods.orders: no such table"


def test_what_an_earlier_read_of_the_run_published_is_told_when_a_later_one_fails(stage: Stage) -> None:
    def half(keys: Sequence[str]) -> Iterator[LoadReport]:
        yield report_of({ONE: True})
        raise SourceError("ods.orders", "no such table")

    stage.script = half
    assert not stage.run(ONE, TWO).succeeded
    assert stage.instance.get_materialized_partitions(KEY) == {ONE}
    assert [evaluation.partition for evaluation in stage.evaluations(CHECKS[0])] == [ONE]


def test_a_materialization_carries_the_columns_and_the_numbers_that_the_ui_knows(stage: Stage) -> None:
    stage.run(ONE)
    metadata = stage.materializations()[0].asset_materialization.metadata
    columns = [(column.name, column.type) for column in metadata["dagster/column_schema"].value.columns]
    assert columns == [("id", "bigint"), ("at", "timestamp")]
    told = {name: metadata[name].value for name in ("rows", "files", "bytes", "source_before", "version")}
    assert told == {
        "rows": 5,
        "files": 1,
        "bytes": 100,
        "source_before": 5,
        "version": "20260302T020109-aaaaaa",
    }
    assert metadata["location"].value == "file:///warehouse/20260302T020109-aaaaaa/ds=2026-01-05"
    assert metadata["sql"].value == "```sql\nSELECT id FROM shop.orders\n```"


def test_the_asset_refers_to_the_line_that_declares_it(stage: Stage) -> None:
    [spec] = stage.asset.specs
    [reference] = spec.metadata["dagster/code_references"].code_references
    assert reference.file_path.endswith("config/ods/orders.yaml")
    assert reference.line_number == 1
    assert spec.code_version == stage.platform.catalog.sha(stage.spec)


def test_a_check_is_partitioned_like_its_table_and_says_whether_it_blocks(stage: Stage) -> None:
    [spec] = stage.asset.specs
    assert {check.name for check in stage.asset.check_specs} == set(CHECKS)
    for check in stage.asset.check_specs:
        assert (check.partitions_def, check.blocking) == (spec.partitions_def, True)


def test_a_failed_read_without_any_report_leaves_no_event_of_the_asset(stage: Stage) -> None:
    def refuse(keys: Sequence[str]) -> Iterator[LoadReport]:
        raise SourceError("ods.orders", "no such table")
        yield

    stage.script = refuse
    stage.run(ONE)
    assert stage.materializations() == []
    assert [stage.evaluations(check) for check in CHECKS] == [[]] * len(CHECKS)
    assert stage.status(ONE) == {ONE: "FAILED"}


@pytest.mark.parametrize("keys", [(ONE,), (ONE, TWO)])
def test_a_run_is_tagged_with_its_partitions_as_dagster_tags_its_own(
    stage: Stage, keys: tuple[str, ...]
) -> None:
    run = stage.instance.get_run_by_id(stage.run(*keys).run_id)
    assert run is not None
    if len(keys) == 1:
        assert run.tags["dagster/partition"] == ONE
    else:
        assert run.tags["dagster/asset_partition_range_start"] == ONE
        assert run.tags["dagster/asset_partition_range_end"] == TWO
