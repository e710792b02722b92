"""What every table of the warehouse declares, whether it is loaded from a source or made by SQL."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.checks import CheckEntry, CheckSpec
from dataplat.specs.fresh import FreshSpec
from dataplat.specs.platform import PartitionFormatSpec, RetentionSpec
from dataplat.specs.values import Cron, Duration, PlainText, TableName, Text, Texts, WholeNumber, shown

_OWNER = re.compile(r"team:[\w.-]+|[\w.+-]+@[\w-]+(\.[\w-]+)+")
_TAG_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,63}")
_TAG_KEY = re.compile(r"([A-Za-z0-9_.-]{1,63}/)?[A-Za-z0-9_.-]{1,63}")


def _owners(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _OWNER.fullmatch(name):
            raise ValueError(f"{shown(name)} is neither team:name nor a mail address")
    return names


def _tags(tags: dict[str, str]) -> dict[str, str]:
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(value):
            raise ValueError(f"{shown(key)}: keys and values are up to 63 letters, digits, _ - and .")
    return tags


class RetrySpec(Spec):
    """How often a load is tried again after a failure that may pass. A number alone is the count."""

    count: Annotated[WholeNumber, Field(ge=0, le=10)] = Field(2, description="Further attempts.")
    delay: Duration = Field(
        timedelta(seconds=30), description="Pause before the first of them; it doubles with each further one."
    )

    @property
    def delay_seconds(self) -> int:
        """The pause as Dagster counts it."""
        return int(self.delay.total_seconds())

    @model_validator(mode="before")
    @classmethod
    def _accept_short_form(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {"count": value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        full = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [full["properties"]["count"], full]}


class WarehouseTable(DeclaredSpec):
    """What a loaded table (``TableSpec``) and a model (``ModelSpec``) have in common."""

    not_in_sha: ClassVar[frozenset[str]] = frozenset(
        {
            "description",
            "owner",
            "group",
            "schedule",
            "engine",
            "retention",
            "tags",
            "retries",
            "priority",
            "fresh",
        }
    )

    table: TableName = Field(description="database.table in Hive.")
    description: str = Field("", description="What one row is, for people.")
    owner: Annotated[Texts, AfterValidator(_owners)] = Field((), description="team:name or mail addresses.")
    group: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_]+$")] | None = Field(
        None, description="Group in the asset graph; without it the source, or the layer of a model."
    )
    key: Texts = Field((), description="Columns that tell rows apart.")
    check_entries: tuple[CheckEntry, ...] = Field(
        (), alias="checks", description="What must hold; the row count is always compared."
    )
    schedule: Cron | None = Field(None, description="Five cron fields, in the platform's time zone.")
    engine: Text = Field("default", description="default, or one of the platform's engines.")
    format: Literal["parquet", "orc"] = Field("parquet", description="File format.")
    partition: PartitionFormatSpec = Field(
        default_factory=PartitionFormatSpec, description="How partitions are named; else as the platform's."
    )
    retention: RetentionSpec = Field(
        default_factory=RetentionSpec, description="How long versions are kept; else as the platform's."
    )
    tags: Annotated[dict[str, PlainText], AfterValidator(_tags)] = Field(
        default_factory=dict, description="Tags in Dagster."
    )
    sensitive: Texts = Field((), description="Columns whose values are never shown.")
    retries: RetrySpec = Field(default_factory=RetrySpec, description="Attempts after a failure.")
    fresh: FreshSpec | None = Field(None, description="When a partition has to be there; later is late.")
    priority: Annotated[WholeNumber, Field(ge=-100, le=100)] = Field(
        0, description="Runs of a higher one leave the queue first."
    )

    @property
    def database(self) -> str:
        return self.table.split(".")[0]

    @property
    def name(self) -> str:
        return self.table.split(".")[1]

    @property
    def layer(self) -> str:
        """The folder of its file: ods, dim, dw or ads."""
        return self.declared.folder or self.database

    @property
    def asset_path(self) -> tuple[str, str, str]:
        return (self.layer, self.database, self.name)

    @cached_property
    def checks(self) -> tuple[CheckSpec, ...]:
        return tuple(entry.check for entry in self.check_entries)

    def check_at(self, name: str) -> str:
        """Return where a check was declared: ``config/ods/x.yaml:14 checks[1].unique``."""
        for index, check in enumerate(self.checks):
            if check.name == name:
                return self.declared.at("checks", index, check.kind)
        return self.declared.at()

    def sha(self, **surroundings: str) -> str:
        """Return 12 hex digits that change when what is loaded or checked would.

        Owner, schedule, tags and the like are left out: they change nothing in the table.
        """
        content: Mapping[str, Any] = self.model_dump(mode="json", by_alias=True, exclude=set(self.not_in_sha))
        text = json.dumps([content, surroundings], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
