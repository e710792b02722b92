"""``fresh``: when a partition has to be there."""

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from dataplat.specs.base import Spec
from dataplat.specs.values import Duration, shown


def parse_clock(value: object) -> time:
    """Return the time of day written as 08:00.

    >>> parse_clock("08:30")
    datetime.time(8, 30)
    """
    if isinstance(value, time):
        return value
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    raise ValueError(f"expected a time of day such as 08:00, found {shown(value)}")


Clock = Annotated[
    time,
    BeforeValidator(parse_clock),
    PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-2][0-9]:[0-5][0-9]$", "examples": ["08:00"]}),
]


class FreshSpec(Spec):
    """The deadline of each partition, counted from its end."""

    by: Clock | None = Field(None, description="The first such time after its end, on the platform's clock.")
    within: Duration | None = Field(None, description="Or how long after its end.")

    @model_validator(mode="after")
    def _one(self) -> "FreshSpec":
        if (self.by is None) == (self.within is None):
            raise ValueError('`fresh` says `by: "08:00"` or `within: 30m`: exactly one of them')
        if self.within is not None and self.within <= timedelta():
            raise ValueError("`within` must be longer than nothing")
        return self
