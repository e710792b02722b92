"""What every backend promises about watermarks."""

from datetime import datetime, timedelta, timezone

from dataplat.ledger import Ledger, LedgerWatermark
from dataplat.plan.watermark import Watermark, WatermarkStore
from dataplat_tests.unit.ledger.behaviour.gate import all_at_once
from dataplat_tests.unit.ledger.builders import FrozenClock

SHANGHAI = timezone(timedelta(hours=8))


class WatermarkBehaviour:
    def test_a_watermark_is_what_was_saved_last_also_an_older_one(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        store: WatermarkStore = LedgerWatermark(ledger, "scheduler")
        assert store.read() is None
        first = Watermark(datetime(2026, 3, 2, 10, 0, 0, 5, tzinfo=SHANGHAI), clock.now)
        older = Watermark(first.last_end_time - timedelta(days=1), clock.move(hours=1))
        store.save(first)
        assert store.read() == first
        store.save(older)
        assert store.read() == older

    def test_each_task_source_has_its_own(self, ledger: Ledger, clock: FrozenClock) -> None:
        one, other = LedgerWatermark(ledger, "one"), LedgerWatermark(ledger, "ONE")
        one.save(Watermark(clock.now, clock.now))
        assert other.read() is None
        other.save(Watermark(clock.now - timedelta(days=1), clock.now))
        other.clear()
        other.clear()
        assert other.read() is None
        assert one.read() == Watermark(clock.now, clock.now)

    def test_saving_at_once_leaves_one_of_them(self, ledger: Ledger, clock: FrozenClock) -> None:
        marks = {f"run {n}": Watermark(clock.now + timedelta(hours=n), clock.now) for n in range(4)}
        all_at_once(lambda name: LedgerWatermark(ledger, "x").save(marks[name]))
        assert LedgerWatermark(ledger, "x").read() in marks.values()
