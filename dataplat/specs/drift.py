"""``drift``: how often sources are asked whether partitions that are over have changed."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from dataplat.specs.base import Spec
from dataplat.specs.values import Count, Duration


def _not_every_minute(every: timedelta) -> timedelta:
    if every < timedelta(minutes=5):
        raise ValueError("`every` is at least 5m: each time every partition that is over is counted")
    return every


class DriftSpec(Spec):
    """Partitions that are over are counted at their source again, and those that changed are loaded."""

    days: Count = Field(8, description="How many business days back.")
    every: Annotated[Duration, AfterValidator(_not_every_minute)] = Field(
        timedelta(hours=6), description="Pause from one count to the next."
    )
    checksum: bool = Field(False, description="Compare values too; both sides hash what they hold.")


TableDriftSpec = Annotated[
    Annotated[DriftSpec, Tag("settings")] | Annotated[Literal["never"], Tag("never")],
    Discriminator(lambda value: "never" if isinstance(value, str) else "settings"),
]
