"""``dim/*.yaml``, ``dw/*.yaml``, ``ads/*.yaml`` with SQL beside them: one table that is made of others.

What a model reads is in its SQL and is not declared a second time. Two keys say what the SQL cannot:
``reads`` allows an upstream to be read other than partition by partition, and ``upstreams`` states which
partitions are meant where they cannot be derived. A file in these folders that names a ``source`` is no
model but a loaded table (``specs.table``).
"""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from dataplat.specs.base import Spec
from dataplat.specs.table import WindowSpec
from dataplat.specs.values import Day, Grain, TableName, Text, Texts, shown
from dataplat.specs.warehouse_table import WarehouseTable

EVERY_UPSTREAM = "*"
ReadMode = Literal["all_partitions", "latest", "same"]
_OFFSETS = re.compile(r"([+-]?[0-9]{1,5})(?:\s*\.\.\s*([+-]?[0-9]{1,5}))?")


def parse_offsets(value: object) -> tuple[int, int]:
    """Return the first and the last of ``-7..0``, or of a single ``-1``.

    >>> parse_offsets("-7..0"), parse_offsets(-1)
    ((-7, 0), (-1, -1))
    """
    if isinstance(value, tuple):
        return value
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    match = _OFFSETS.fullmatch(text.strip())
    if not match:
        raise ValueError(f"expected partitions such as -1, 0 or -7..0, found {shown(value)}")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise ValueError(f"expected the earlier partition first: {last}..{first}, found {shown(value)}")
    return first, last


def offsets_text(offsets: tuple[int, int]) -> str:
    """Return offsets as ``parse_offsets`` reads them."""
    return "..".join(str(offset) for offset in dict.fromkeys(offsets))


def _for_every_upstream(value: object) -> object:
    return {EVERY_UPSTREAM: value} if isinstance(value, str) else value


Offsets = Annotated[
    tuple[int, int],
    BeforeValidator(parse_offsets),
    PlainSerializer(offsets_text, return_type=str),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["-7..0", -1]}),
]


class UpstreamSpec(Spec):
    """Which partitions of an upstream one partition of the model reads."""

    partitions: Offsets = Field(
        description="0 is the partition of the same time, -1 the one before, -6..0 the last seven."
    )
    unit: Grain | None = Field(
        None, description="What partitions are counted in; without it the coarser of the two grains."
    )
    counted_from: Literal["start", "end"] = Field(
        "start", description="Whether 0 is at the start or at the end of the model's partition."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_short_form(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {"partitions": value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        full = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [full["properties"]["partitions"], full]}


class ModelSpec(WarehouseTable):
    """A table that SQL makes of other tables. ``load_catalog`` fills in what the platform decides for it."""

    not_in_sha: ClassVar[frozenset[str]] = WarehouseTable.not_in_sha | {
        "trigger",
        "columns",
        "depends_on_past",
        "automatic",
        "after",
    }

    grain: Grain = Field("day", description="How much time one partition holds.")
    start: Day | None = Field(None, description="First partition; without it the platform's.")
    columns: dict[Text, str] = Field(default_factory=dict, description="What each column is, for people.")
    trigger: Literal["all_success", "all_done"] = Field(
        "all_success",
        description="all_success: every upstream is published. all_done: every upstream has ended.",
    )
    reads: Annotated[
        dict[Text, ReadMode],
        BeforeValidator(_for_every_upstream),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "enum": ["all_partitions", "latest", "same"]},
                    {
                        "type": "object",
                        "additionalProperties": {
                            "type": "string",
                            "enum": ["all_partitions", "latest", "same"],
                        },
                    },
                ]
            }
        ),
    ] = Field(
        default_factory=dict,
        description="How upstreams are read that the SQL does not filter by partition: one word for all of "
        "them, or one for each.",
    )
    upstreams: dict[TableName, UpstreamSpec] = Field(
        default_factory=dict, description="Partitions that are read, where the SQL does not tell: -6..0"
    )
    depends_on_past: bool = Field(
        False, description="Whether a partition waits for the one before it of the same model."
    )
    after: Texts = Field(
        (), description="Files in readiness/ whose partition of the same time must be ready first."
    )
    automatic: bool = Field(
        True,
        description="Whether a partition is made, and made again after a repair, once its upstreams stand. "
        "false: only by a schedule, or when somebody asks.",
    )
    _sql: str = PrivateAttr(default="")

    @property
    def sql(self) -> str:
        """The text of the SQL file, as written: a Jinja template."""
        return self._sql

    @property
    def sql_file(self) -> str:
        """The SQL file as people see it: ``config/dw/dw_account_day.sql``."""
        return self.declared.file.removesuffix(".yaml") + ".sql"

    @property
    def window(self) -> WindowSpec:
        """The grain and the first partition, named as a loaded table names them."""
        return WindowSpec(grain=self.grain, start=self.start)

    def with_sql(self, sql: str) -> "ModelSpec":
        """Return the model with the text of its SQL file."""
        copy = self.model_copy()
        copy._sql = sql
        return copy

    def read_mode(self, upstream: str) -> ReadMode | None:
        """Return what ``reads`` says about an upstream, nothing if the SQL decides."""
        return self.reads.get(upstream) or self.reads.get(EVERY_UPSTREAM)

    def sha(self, **surroundings: str) -> str:
        """Return 12 hex digits that change when the SQL or what is checked would."""
        return super().sha(sql=self._sql, **surroundings)
