"""What the demo's loads reported, added up by day, and how it is shown at 80 columns."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dataplat.ledger import TableVersion
from dataplat.lifecycle.report import LoadReport, Verdict
from dataplat.plan.targets import is_read_alone
from dataplat.specs import AnyTable, ModelSpec, TableSpec

MEANINGS = {"dim": "who and what", "dw": "what happened, day by day", "ads": "what people ask for"}
_STYLES = {"published": "green", "rejected": "red", "superseded": "dim"}


@dataclass
class DayTally:
    """Sums over the partitions of one day of one table, or of all of its days."""

    source: int = 0
    written: int = 0
    files: int = 0
    partitions: int = 0
    rejected: int = 0
    seconds: float = 0.0

    def add(self, other: "DayTally") -> None:
        """Count another one in."""
        self.source += other.source
        self.written += other.written
        self.files += other.files
        self.partitions += other.partitions
        self.rejected += other.rejected
        self.seconds += other.seconds

    @property
    def verdict(self) -> str:
        """``published`` when every partition is."""
        return "rejected" if self.rejected else "published"


@dataclass
class Tally:
    """Everything that the loads of one table reported. A read's seconds are shared out evenly."""

    days: dict[str, DayTally] = field(default_factory=lambda: defaultdict(DayTally))

    def hear(self, report: LoadReport) -> None:
        """Count one read in."""
        share = report.seconds.get("total", 0.0) / max(1, len(report.partitions))
        for item in report.partitions:
            rejected = int(item.verdict is Verdict.REJECTED)
            heard = DayTally(item.source_after or 0, item.written, item.rows, 1, rejected, share)
            self.days[item.partition[:10]].add(heard)

    @property
    def total(self) -> DayTally:
        """The sum of all days."""
        total = DayTally()
        for day in self.days.values():
            total.add(day)
        return total


def say_partitions(spec: AnyTable, count: int) -> str:
    """Return a number of partitions in the words of a table's grain.

    ``336 hours``, ``1 day``.
    """
    return f"{count:,} {spec.window.grain}{'' if count == 1 else 's'}"


def render_days(spec: TableSpec, tally: Tally) -> Table:
    """Return a table of one row a day, and of their sum when there is more than one."""
    total = tally.total
    how = "a read for each" if is_read_alone(spec) else "one read for many"
    if total.partitions == 1:
        how = "one read"
    table = _table(
        f"{spec.table}  {say_partitions(spec, total.partitions)}, {spec.load}, {how}",
        left=("day",),
        right=("source rows", "written", "in files"),
    )
    table.add_column("verdict")
    table.add_column("seconds", justify="right")
    for key, day in sorted(tally.days.items()):
        table.add_row(*_cells(key, day))
    if len(tally.days) > 1:
        table.add_row(*_cells("together", total), style="bold")
    return table


def render_loads(loads: Sequence[tuple[TableSpec, DayTally]]) -> Table:
    """Return a table of one row a loaded table, with the sums of its partitions."""
    table = _table(
        "Loaded tables", left=("table",), right=("published", "source rows", "in files", "seconds")
    )
    for spec, total in loads:
        published = say_partitions(spec, total.partitions - total.rejected)
        numbers = f"{total.source:,}", f"{total.files:,}", f"{total.seconds:.1f}"
        table.add_row(spec.table, published, *numbers)
    return table


def render_models(layer: str, models: Sequence[tuple[ModelSpec, DayTally, int]]) -> Table:
    """Return a table of one row a model, with the sums of its partitions.

    Args:
        layer: What they have in common.
        models: Each model, what was made of it, and how many partitions its gate kept waiting.
    """
    table = _table(
        f"{layer.upper()}  {MEANINGS.get(layer, '')}".rstrip(),
        left=("table",),
        right=("published", "rejected", "waiting", "rows", "seconds"),
    )
    for spec, total, waiting in models:
        published = say_partitions(spec, total.partitions - total.rejected)
        bad = Text(str(total.rejected or "-"), style="red" if total.rejected else "")
        late = Text(str(waiting or "-"), style="yellow" if waiting else "")
        table.add_row(spec.table, published, bad, late, f"{total.files:,}", f"{total.seconds:.1f}")
    return table


def render_versions(title: str, versions: Iterable[TableVersion]) -> Table:
    """Return the versions of a partition, newest first."""
    table = _table(title, left=("version", "state"), right=("rows",))
    table.add_column("why", overflow="fold")
    for row in versions:
        table.add_row(row.version, _styled(row.state), f"{row.rows or 0:,}", row.reason)
    return table


def _cells(name: str, day: DayTally) -> tuple[str | Text, ...]:
    numbers = [f"{count:,}" for count in (day.source, day.written, day.files)]
    return (name, *numbers, _styled(day.verdict), f"{day.seconds:.1f}")


def _styled(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))


def _table(title: str, *, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table
