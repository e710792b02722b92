"""What the partitions of a source table mean: their windows, their values in Hive, and who is read alone."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dataplat.plan.dates import find_date_expressions
from dataplat.plan.partitions import partition_columns
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.windows import partition_window
from dataplat.specs import PartitionFormatSpec, TableSpec


def is_read_alone(spec: TableSpec) -> bool:
    """Say whether each partition needs a read of its own.

    A date expression in ``where`` or ``columns`` means something else in every partition, and so does one
    that discovers the shards of a snapshot: there is no window that would leave out another day's shards.
    """
    texts = [spec.where or ""]
    if not isinstance(spec.columns, str):
        texts += [column.text for column in spec.columns]
    if spec.load == "snapshot" and spec.read_from.shards is not None:
        texts += spec.read_from.shards.discover
    return any(find_date_expressions(text) for text in texts)


def plan_targets(
    spec: TableSpec, keys: Sequence[str], partition_format: PartitionFormatSpec, zone: str
) -> tuple[PartitionTarget, ...]:
    """Return what each partition of a table means: its window and its values in Hive."""
    grain = spec.window.grain
    return tuple(
        PartitionTarget(
            key, partition_window(key, grain, ZoneInfo(zone)), partition_columns(key, grain, partition_format)
        )
        for key in keys
    )


def window_starts(targets: Sequence[PartitionTarget]) -> list[datetime]:
    """Return where the windows begin: the bases of date expressions."""
    return [target.window.start for target in targets if target.window is not None]


def span_text(targets: Sequence[PartitionTarget]) -> str:
    """Return ``2026-01-01`` or ``2026-01-01~2026-01-14``, for messages."""
    return targets[0].key if len(targets) == 1 else f"{targets[0].key}~{targets[-1].key}"
