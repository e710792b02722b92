"""What every backend promises about versions."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dataplat.errors import LedgerError, LostLockError
from dataplat.ledger import Ledger, TableVersion, VersionCounts
from dataplat.ledger import VersionState as S
from dataplat.ledger.tables import table_version
from dataplat_tests.unit.ledger.builders import (
    DAY,
    NEXT_DAY,
    ORDERS,
    FrozenClock,
    begin,
    bring,
    load,
    lock,
    someone_else,
)


class VersionBehaviour:
    def test_a_version_that_begins_is_remembered_as_it_was_given(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        given = TableVersion(
            table="ods.订单",
            partition="2026-03-01-05:00",
            version="20260302T020109-4f1c9a",
            location="hdfs://ns1/仓库/" + "x" * 3000,
            run_id="r",
            actor="安",
            config_sha="0123456789ab",
        )
        (begun,) = ledger.begin([given])
        assert ledger.history("ods.订单") == (begun,)
        assert begun == TableVersion(
            **vars(given) | {"created_at": clock.now, "changed_at": clock.now, "state": S.STAGING}
        )

    def test_times_come_back_aware_in_utc_to_the_microsecond(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        began = datetime.fromisoformat("2026-03-02T10:01:09.000001+08:00")
        ledger.begin([TableVersion(table=ORDERS, partition=DAY, version="v1", created_at=began)])
        (row,) = ledger.history(ORDERS)
        assert row.created_at == began
        assert row.created_at.tzinfo is UTC
        assert row.changed_at == clock.now

    def test_a_naive_time_is_refused(self, ledger: Ledger) -> None:
        naive = datetime(2026, 3, 2, 10, 1)  # noqa: DTZ001
        with pytest.raises((TypeError, LedgerError), match="aware"):
            ledger.begin([TableVersion(table=ORDERS, partition=DAY, version="v1", created_at=naive)])

    def test_beginning_nothing_records_nothing(self, ledger: Ledger) -> None:
        assert ledger.begin([]) == ()

    def test_a_version_begins_once(self, ledger: Ledger) -> None:
        begin(ledger, "v1", [DAY])
        with pytest.raises(LedgerError) as error:
            begin(ledger, "v1", [NEXT_DAY, DAY])
        assert str(error.value) == (
            "ods.orders[2026-03-01]: version v1 has begun before\n"
            "  found    state staging, begun 2026-03-02 02:01:09 UTC\n"
            "  effect   the ledger was not changed\n"
            "  next     dataplat ledger ods.orders 2026-03-01"
        )
        assert [row.partition for row in ledger.history(ORDERS)] == [DAY]

    def test_a_load_that_goes_well_ends_published_with_its_counts(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        load(ledger, "v1", rows=7)
        (row,) = ledger.history(ORDERS)
        assert (row.state, row.rows, row.files, row.bytes) == (S.PUBLISHED, 7, 1, 70)
        assert (row.published_at, row.ended_at) == (clock.now, None)
        assert ledger.visible(ORDERS) == {DAY: row}

    def test_publishing_supersedes_the_older_version_in_the_same_moment(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        load(ledger, "v1")
        later = clock.move(hours=1)
        load(ledger, "v2")
        new, old = ledger.history(ORDERS)
        assert (new.version, new.state, new.published_at) == ("v2", S.PUBLISHED, later)
        assert (old.version, old.state, old.ended_at) == ("v1", S.SUPERSEDED, later)
        assert old.reason == "superseded by v2"
        assert old.published_at == later - timedelta(hours=1)

    def test_publish_names_the_partitions_that_were_visible_before(self, ledger: Ledger) -> None:
        load(ledger, "v1", [DAY])
        begin(ledger, "v2", [DAY, NEXT_DAY])
        bring(ledger, "v2", S.STAGED, S.PUBLISHING, partitions=[DAY, NEXT_DAY])
        with lock(ledger, [DAY, NEXT_DAY]) as locks:
            assert ledger.publish(ORDERS, "v2", [DAY, NEXT_DAY], locks) == (DAY,)

    def test_each_partition_of_a_version_lives_on_its_own(self, ledger: Ledger) -> None:
        begin(ledger, "v1", [DAY, NEXT_DAY])
        bring(ledger, "v1", S.STAGED, partitions=[DAY, NEXT_DAY])
        ledger.advance(ORDERS, "v1", [NEXT_DAY], S.REJECTED, reason="213 rows are missing", actor="audit")
        bring(ledger, "v1", S.PUBLISHING, partitions=[DAY])
        with lock(ledger) as locks:
            ledger.publish(ORDERS, "v1", [DAY], locks)
        assert list(ledger.visible(ORDERS)) == [DAY]
        (rejected,) = ledger.in_state(ORDERS, {S.REJECTED})
        assert (rejected.partition, rejected.reason) == (NEXT_DAY, "213 rows are missing")
        assert (rejected.actor, rejected.changed_by) == ("ann", "audit")

    def test_a_rollback_publishes_the_old_version_and_keeps_its_landing_time(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        landed = clock.now
        load(ledger, "v1")
        clock.move(hours=1)
        load(ledger, "v2")
        back = clock.move(hours=1)
        with lock(ledger) as locks:
            ledger.advance(ORDERS, "v1", [DAY], S.PUBLISHING, actor="bob")
            ledger.publish(ORDERS, "v1", [DAY], locks, actor="bob", reason="v2 has yesterday's prices")
        visible = ledger.visible(ORDERS)[DAY]
        assert (visible.version, visible.published_at, visible.changed_at) == ("v1", landed, back)
        assert (visible.actor, visible.changed_by) == ("ann", "bob")
        assert (visible.reason, visible.ended_at) == ("v2 has yesterday's prices", None)
        assert [row.version for row in ledger.in_state(ORDERS, {S.SUPERSEDED})] == ["v2"]

    def test_a_rollback_that_did_not_happen_can_be_tried_again(self, ledger: Ledger) -> None:
        load(ledger, "v1")
        load(ledger, "v2")
        bring(ledger, "v1", S.PUBLISHING, S.SUPERSEDED, S.PUBLISHING)
        with lock(ledger) as locks:
            ledger.publish(ORDERS, "v1", [DAY], locks)
        assert ledger.visible(ORDERS)[DAY].version == "v1"

    def test_an_illegal_step_of_one_partition_changes_none(self, ledger: Ledger) -> None:
        begin(ledger, "v1", [DAY, NEXT_DAY])
        bring(ledger, "v1", S.STAGED, partitions=[NEXT_DAY])
        with pytest.raises(LedgerError) as error:
            bring(ledger, "v1", S.PUBLISHING, partitions=[NEXT_DAY, DAY])
        assert str(error.value) == (
            "ods.orders[2026-03-01]: version v1 is staging and cannot become publishing\n"
            "  expected   staged or rejected or abandoned, after staging\n"
            "  effect     the ledger was not changed\n"
            "  next       dataplat ledger ods.orders 2026-03-01"
        )
        assert {row.partition: row.state for row in ledger.history(ORDERS)} == {
            DAY: S.STAGING,
            NEXT_DAY: S.STAGED,
        }

    def test_an_unknown_version_is_named(self, ledger: Ledger) -> None:
        begin(ledger, "v1")
        with pytest.raises(LedgerError) as error:
            bring(ledger, "v2", S.STAGED)
        assert str(error.value) == (
            "ods.orders[2026-03-01]: the ledger knows no version v2\n"
            "  effect   the ledger was not changed\n"
            "  next     dataplat versions ods.orders 2026-03-01"
        )

    def test_only_publish_makes_a_version_visible(self, ledger: Ledger) -> None:
        begin(ledger, "v1")
        bring(ledger, "v1", S.STAGED, S.PUBLISHING)
        with pytest.raises(ValueError, match="only publish"):
            bring(ledger, "v1", S.PUBLISHED)

    def test_publish_refuses_a_version_that_was_not_announced(self, ledger: Ledger) -> None:
        load(ledger, "v1")
        begin(ledger, "v2")
        bring(ledger, "v2", S.STAGED)
        with lock(ledger) as locks, pytest.raises(LedgerError, match="is staged and cannot become published"):
            ledger.publish(ORDERS, "v2", [DAY], locks)
        assert ledger.visible(ORDERS)[DAY].version == "v1"

    def test_a_load_that_lost_its_lock_publishes_nothing(self, ledger: Ledger, clock: FrozenClock) -> None:
        load(ledger, "v1")
        begin(ledger, "v2", [DAY, NEXT_DAY])
        bring(ledger, "v2", S.STAGED, S.PUBLISHING, partitions=[DAY, NEXT_DAY])
        with lock(ledger, [DAY, NEXT_DAY]) as locks:
            clock.move(seconds=61)
            with lock(ledger, [NEXT_DAY], someone_else()), pytest.raises(LostLockError) as error:
                ledger.publish(ORDERS, "v2", [DAY, NEXT_DAY], locks)
        assert str(error.value) == (
            "ods.orders[2026-03-02]: this load no longer holds the partition\n"
            "  expected   the lock that this load took\n"
            "  found      pid 99 on etl-8, run r2, since 2026-03-02 02:02:10 UTC\n"
            "  effect     nothing was published by this load\n"
            "  next       dataplat ledger ods.orders 2026-03-02"
        )
        assert {row.version for row in ledger.visible(ORDERS).values()} == {"v1"}
        assert len(ledger.in_state(ORDERS, {S.PUBLISHING})) == 2

    def test_a_released_lock_does_not_publish(self, ledger: Ledger) -> None:
        begin(ledger, "v1")
        bring(ledger, "v1", S.STAGED, S.PUBLISHING)
        with lock(ledger) as locks:
            pass
        with pytest.raises(LostLockError, match="nobody holds it now"):
            ledger.publish(ORDERS, "v1", [DAY], locks)

    def test_locks_of_another_table_do_not_publish(self, ledger: Ledger) -> None:
        begin(ledger, "v1")
        bring(ledger, "v1", S.STAGED, S.PUBLISHING)
        locks = ledger.lock_partitions("ods.other", [DAY], someone_else())
        with locks, pytest.raises(LostLockError):
            ledger.publish(ORDERS, "v1", [DAY], locks)

    def test_a_step_can_be_fenced_too(self, ledger: Ledger) -> None:
        begin(ledger, "v1")
        with lock(ledger) as locks:
            ledger.advance(ORDERS, "v1", [DAY], S.STAGED, locks=locks)
        with pytest.raises(LostLockError):
            ledger.advance(ORDERS, "v1", [DAY], S.PUBLISHING, locks=locks)
        assert [row.state for row in ledger.history(ORDERS)] == [S.STAGED]

    def test_the_database_itself_refuses_a_second_published_version(self, ledger: Ledger) -> None:
        load(ledger, "v1")
        begin(ledger, "v2")
        update = table_version.update().where(table_version.c.version == "v2").values(state="published")
        with pytest.raises(LedgerError, match=r"(?i)unique|duplicate"):
            ledger._database.write(lambda connection: connection.execute(update))

    def test_counts_given_later_do_not_erase_those_given_before(self, ledger: Ledger) -> None:
        begin(ledger, "v1", [DAY, NEXT_DAY])
        counts = {DAY: VersionCounts(rows=2**40, bytes=2**50)}
        ledger.advance(ORDERS, "v1", [DAY, NEXT_DAY], S.STAGED, counts=counts)
        ledger.advance(ORDERS, "v1", [DAY], S.REJECTED, counts={DAY: VersionCounts(files=0)})
        first, second = sorted(ledger.history(ORDERS), key=lambda row: row.partition)
        assert (first.rows, first.files, first.bytes) == (2**40, 0, 2**50)
        assert (second.rows, second.files, second.bytes) == (None, None, None)

    def test_history_is_newest_first_and_limited(self, ledger: Ledger, clock: FrozenClock) -> None:
        for number in range(5):
            load(ledger, f"v{number}")
            clock.move(minutes=1)
        assert [row.version for row in ledger.history(ORDERS, DAY, limit=3)] == ["v4", "v3", "v2"]
        assert len(ledger.history(ORDERS, limit=None)) == 5
        assert ledger.history(ORDERS, NEXT_DAY) == ()
        assert ledger.history("ods.other") == ()

    def test_the_volume_of_earlier_partitions_leaves_out_what_is_not_published(self, ledger: Ledger) -> None:
        for day in range(1, 8):
            load(ledger, f"v{day}", [f"2026-03-0{day}"], rows=day * 100)
        begin(ledger, "late", ["2026-02-28"])
        earlier = ledger.visible_before(ORDERS, "2026-03-06", limit=3)
        assert [(row.partition, row.rows) for row in earlier] == [
            ("2026-03-05", 500),
            ("2026-03-04", 400),
            ("2026-03-03", 300),
        ]
        assert len(ledger.visible_before(ORDERS, "2026-03-06", limit=30)) == 5

    def test_visible_can_be_asked_for_more_partitions_than_one_statement_takes(self, ledger: Ledger) -> None:
        days = [f"2026-{month:02}-{day:02}" for month in range(1, 4) for day in range(1, 29)]
        keys = [f"{day}-{hour:02}:00" for day in days for hour in range(24)]
        load(ledger, "v1", keys)
        assert list(ledger.visible(ORDERS, [*keys, "2030-01-01"])) == keys

    def test_states_are_found_across_tables(self, ledger: Ledger) -> None:
        begin(ledger, "v1", table="ods.a")
        begin(ledger, "v1", table="ods.b")
        assert [row.table for row in ledger.in_state(None, {S.STAGING})] == ["ods.a", "ods.b"]
        assert ledger.in_state("ods.a", {S.STAGING}, [NEXT_DAY]) == ()
        assert ledger.in_state("ods.a", set()) == ()

    def test_names_are_compared_by_their_bytes(self, ledger: Ledger) -> None:
        begin(ledger, "v1", table="ods.a")
        begin(ledger, "v1", table="ods.A")
        assert [row.table for row in ledger.history("ods.A")] == ["ods.A"]

    def test_every_time_is_kept_in_utc(self, ledger: Ledger, clock: FrozenClock) -> None:
        begin(ledger, "v1")
        query = sa.text("SELECT created_at FROM table_version")
        kept = ledger._database.read(lambda connection: connection.execute(query).scalar_one())
        assert str(kept).replace("T", " ").startswith("2026-03-02 02:01:09.123456")
