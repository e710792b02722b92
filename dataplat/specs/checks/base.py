"""What all kinds of checks have in common."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from dataplat.specs.base import Spec
from dataplat.specs.problems import Loc
from dataplat.specs.values import Percent, Texts, parse_table_name, shown

ROW_COUNT_CHECK = "row_count_matches_source"
CheckName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]


def _blocks(value: object) -> object:
    if value in ("all", "none"):
        return value
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(f"expected all, none or a list of tables, found {shown(value)}")
    return tuple(parse_table_name(name if isinstance(name, str) else shown(name)) for name in names)


Blocks = Annotated[
    Literal["all", "none"] | tuple[str, ...],
    BeforeValidator(_blocks),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def at_most_all(share: float) -> float:
    """Refuse a share above 100%, where it is a part of something."""
    if share > 1:
        raise ValueError("expected at most 100%")
    return share


def _ratio(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"expected a number above 0 such as 1.0, found {shown(value)}")
    return float(value)


Part = Annotated[Percent, AfterValidator(at_most_all)]
Ratio = Annotated[float, BeforeValidator(_ratio)]


class CheckSpec(Spec):
    """Something that must hold for a staged partition.

    A failed one of severity ``error`` keeps the partition from being published, unless ``blocks`` says that
    only some downstream tables are to wait, or none: then it is published, and the gate closes for those.
    """

    kind: ClassVar[str]
    short_form: ClassVar[str] = ""

    severity: Literal["error", "warn"] = Field(
        "error", description="error: not published, or as blocks says. warn: told only."
    )
    blocks: Blocks = Field(
        "all",
        description="Whom a failure holds back: all (it is not published), none, or a list of downstreams.",
    )
    given_name: CheckName | None = Field(None, alias="name", description="Name to alert on.")

    @cached_property
    def name(self) -> str:
        """The name in Dagster and in the ledger, stable as long as kind and columns are."""
        return self.given_name or "_".join([self.kind, *map(_word, self.named_after)])

    @property
    def named_after(self) -> tuple[str, ...]:
        """What tells two checks of one kind apart in their names."""
        return self.columns_read

    @property
    def blocking(self) -> bool:
        """Whether a failure keeps the partition from being published, and so from every downstream."""
        return self.severity == "error" and self.blocks == "all"

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The target columns it looks at, which must therefore exist."""
        return tuple(name for _, name in self.columns_at())

    def columns_at(self) -> Iterator[tuple[Loc, str]]:
        """Yield the columns of its own table with the keys that name them."""
        yield from ()

    def tables_at(self) -> Iterator[tuple[Loc, str]]:
        """Yield the other tables that it compares with, with the keys that name them."""
        yield from ()

    def columns_there_at(self) -> Iterator[tuple[Loc, str, str]]:
        """Yield (key, table, column) of the columns of other tables."""
        yield from ()

    @model_validator(mode="before")
    @classmethod
    def _accept_short_form(cls, value: Any) -> Any:
        return {cls.short_form: value} if cls.short_form and not isinstance(value, dict | cls) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        full = handler.resolve_ref_schema(handler(schema))
        short = full["properties"].get(cls.short_form)
        return {"anyOf": [short, full]} if short else full


class ColumnsCheck(CheckSpec):
    """A check that is nothing but a kind and columns."""

    short_form = "columns"
    columns: Annotated[Texts, Field(min_length=1)] = Field(description="Columns of the table.")

    def columns_at(self) -> Iterator[tuple[Loc, str]]:
        for index, name in enumerate(self.columns):
            yield ("columns", index), name


def table_word(table: str) -> str:
    """Return the part of a table's name that a check is named after.

    >>> table_word("ods.ods_t_account")
    'ods_t_account'
    """
    return table.split(".")[-1]


def _word(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
