"""What a person sees while a backfill runs, on a terminal."""

import io

from dataplat.cli.backfill_run import BackfillProgress
from dataplat.cli.output import Output
from dataplat.cli.session import Session
from dataplat.plan.backfills.schedule import Ended, Ending, Schedule, Work


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_counts_how_partitions_ended_and_keeps_what_went_wrong() -> None:
    screen = Terminal()
    session = Session({"COLUMNS": "80"})
    session.output = Output(err=screen)
    schedule = Schedule(
        [Work("ods.a", ("1", "2", "3"))], {}, {}, {}, {("ods.a", "0"): Ended(Ending.PUBLISHED)}
    )
    with BackfillProgress(session, schedule) as progress:
        progress.step("ods.a[1~3]  stage  12 rows")
        schedule.ended |= {("ods.a", "1"): Ended(Ending.PUBLISHED), ("ods.a", "2"): Ended(Ending.FAILED)}
        progress.ended("ods.a", ["1"], Ending.PUBLISHED)
        progress.ended("ods.a", ["2"], Ending.FAILED)
        progress._bar.refresh()
        bar = screen.getvalue().splitlines()[-1]
        assert "1 published, 1 failed" in bar
        assert "2/3" in bar
        assert "left" in bar
    said = [line for line in screen.getvalue().splitlines() if "ods.a[2]" in line]
    assert said[-1].endswith("ods.a[2] failed  (2 of 3)")
    assert "ods.a[1] published" not in screen.getvalue()
    assert session.under_way.startswith("2 of 3 partitions had ended and stay as they are")
