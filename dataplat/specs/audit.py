"""``audits/*.yaml``: tables that others make, whose rows are counted when a scheduler's task has ended.

The names are those of the old auditor's ``config.yaml``: a schedule is a task of the scheduler with the
tables it makes. ``${lower_case}`` is filled in for each job: the variables of the date and those of the
schedule's loop; ``${UPPER_CASE}`` is the environment, as everywhere.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from dataplat.specs.audit_expect import AuditFormat, Delimiter, ExpectSpec
from dataplat.specs.audit_tasks import ResultsSpec, TaskListSpec
from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.secrets import Reference, SecretText
from dataplat.specs.values import Count, PlainText, TableName, Text, WholeNumber, shown

PeriodType = Literal["minutely", "hourly", "daily", "monthly"]
RUNTIME_VARIABLES = ("data_date", "data_month", "data_hour", "yesterday", "today")
"""Filled in from the date of each job, so no loop may be called so."""

_MOST_VALUES = 10_000


class LoopRange(Spec):
    """Whole numbers, the last one included."""

    type: Literal["range"] = Field(description="Whole numbers from start to end.")
    start: WholeNumber = Field(0, description="First number.")
    end: WholeNumber = Field(description="Last number; it is one of them.")
    step: Count = Field(1, description="Difference of one to the next.")
    pad: Annotated[WholeNumber, Field(ge=0, le=20)] = Field(
        0, description="Digits at least, with zeros before: 2 makes 05."
    )

    @model_validator(mode="after")
    def _not_empty(self) -> "LoopRange":
        count = (self.end - self.start) // self.step + 1
        if not 0 < count <= _MOST_VALUES:
            raise ValueError(f"expected 1 to {_MOST_VALUES:,} numbers, found {max(count, 0):,}")
        return self


class LoopEnum(Spec):
    """The values themselves."""

    type: Literal["enum"] = Field(description="The values as they are written.")
    values: tuple[PlainText, ...] = Field(min_length=1, description="The values.")

    @model_validator(mode="after")
    def _each_once(self) -> "LoopEnum":
        twice = [value for index, value in enumerate(self.values) if value in self.values[:index]]
        if twice:
            raise ValueError(f"{shown(twice[0])} is given twice")
        return self


class LoopComputed(Spec):
    """A value that follows from those of other loop variables; it makes no further jobs."""

    type: Literal["computed"] = Field(description="Follows from other loop variables.")
    value: Text = Field(description="Text with ${names} of other loop variables.")
    lookup: dict[PlainText, PlainText] = Field(
        default_factory=dict, description="What to put for each value; without it the value itself."
    )


def _type(value: Any) -> str:
    return str(value.get("type", "") if isinstance(value, dict) else getattr(value, "type", ""))


LoopVariable = Annotated[
    Annotated[LoopRange, Tag("range")]
    | Annotated[LoopEnum, Tag("enum")]
    | Annotated[LoopComputed, Tag("computed")],
    Discriminator(
        _type,
        custom_error_type="loop_type",
        custom_error_message="expected a type: range, enum or computed",
    ),
]


def _no_expectation(value: object) -> object:
    return None if value == "none" else value


class AuditTableSpec(Spec):
    """One table that a task makes, and where its files are."""

    name: Text = Field(description="What the table is called in results.")
    hdfs_path: Text = Field(
        description="Where its files are: a path or a URI with ${data_date} and the like."
    )
    format: AuditFormat = Field(description="What its files are.")
    partition_template: Text | None = Field(
        None, description="Folders of the partition below the path: ds=${data_date}/hr=${data_hour}."
    )
    delimiter: Delimiter = Field("\\n", description="What ends a line, if it is text.")
    threads: Count | None = Field(None, description="Files read at once; without it the default.")
    expect: Annotated[
        ExpectSpec | None,
        BeforeValidator(_no_expectation),
    ] = Field(None, description="What its rows are compared with; none only counts them.")
    external: TableName | None = Field(
        None,
        description="The table of the metastore that has these files: it is in the graph then, and models "
        "that read it wait for its audit.",
    )


class ScheduleSpec(Spec):
    """A task of the scheduler, and the tables that are there when it has ended."""

    task_name: Text = Field(description="The task as the scheduler calls it.")
    interface_id: PlainText = Field("", description="Written into results.")
    platform_id: PlainText = Field("", description="Written into results.")
    partner_id: PlainText = Field("", description="Written into results.")
    period_type: PeriodType | None = Field(None, description="What one batch of it stands for.")
    loop_var: Text | None = Field(
        None, description="Loop variable that multiplies the schedule; a&b takes every pair."
    )
    tables: tuple[AuditTableSpec, ...] = Field(min_length=1, description="The tables it makes.")


class AuditDefaults(Spec):
    """What counts for schedules and tables that say nothing."""

    python_concurrency: Count = Field(1, description="Tables counted at once.")
    threads: Count = Field(10, description="Files of one table read at once.")
    timeout_seconds: Count = Field(3600, description="How long one table may be counted.")


class AuditLimits(Spec):
    """What no run and no table may exceed, whatever it asks for."""

    max_python_concurrency: Count | None = Field(None, description="Tables counted at once at most.")
    max_jar_threads: Count | None = Field(None, description="Files of one table read at once at most.")
    max_effective_parallelism: Count | None = Field(
        None, description="Files read at once at most, over all tables."
    )


class AuditSpec(DeclaredSpec):
    """Schedules that are audited together. The name of the file is the name of the audit."""

    template_variables: ClassVar[bool] = True
    secret_keys: ClassVar[frozenset[str]] = frozenset(
        f"{place}.{key}" for place in ("tasks", "results") for key in ("password", "connect")
    )

    tasks: TaskListSpec | None = Field(
        None, description="Where it says which tasks have ended; without it every table is audited."
    )
    results: ResultsSpec | None = Field(
        None, description="Where results are written; without it into the ledger."
    )
    defaults: AuditDefaults = Field(
        default_factory=AuditDefaults, description="What counts if nothing is said."
    )
    limits: AuditLimits = Field(default_factory=AuditLimits, description="What may not be exceeded.")
    loop_variables: dict[Text, LoopVariable] = Field(
        default_factory=dict, description="Values that schedules are multiplied with, by name."
    )
    schedules: tuple[ScheduleSpec, ...] = Field(min_length=1, description="The tasks, with their tables.")

    @property
    def name(self) -> str:
        return self.declared.path.stem

    def secrets(self) -> Iterator[tuple[Reference, str]]:
        """Yield each secret that it needs, and where it is declared."""
        for section, spec in (("tasks", self.tasks), ("results", self.results)):
            for key in ("password", "connect"):
                text: SecretText | None = getattr(spec, key, None)
                for reference in text.references if text else ():
                    yield reference, self.declared.at(section, key)
