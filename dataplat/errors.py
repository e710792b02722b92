"""The whole error vocabulary: what a person can cause, and what the world can do to a load.

Every message has the same shape, so that people learn to read it once::

    subject: what went wrong
      label    fact
      effect   what has or has not happened
      next     the command to run next

The first line names the subject. ``facts`` are expected, found and where it was declared, in the
order in which a reader wants them. ``effect`` says what is visible now. ``next`` is a command.

Constructors take facts and keep them as attributes; the text is built here and nowhere else. A
class exists only where a caller acts differently on it. ``retryable`` says whether the same call may
succeed later without anybody changing anything; only ``orchestration`` decides to retry, and only
``cli`` turns an error into an exit code. Secrets never enter a message: ``specs.secrets`` holds them.
"""

from collections.abc import Sequence

Facts = Sequence[tuple[str, str]]


class DataplatError(Exception):
    """Root of every error that a user can cause or can be told about.

    Args:
        subject: What the message is about: ``ods.orders[2026-03-01]``, a file, a source.
        problem: The first line after the subject, without a full stop.
        facts: Label and text pairs: expected, found, where it was declared.
        effect: What has or has not happened because of it.
        next_steps: Commands, most useful first.
    """

    retryable = False

    def __init__(
        self,
        subject: str,
        problem: str,
        *,
        facts: Facts = (),
        effect: str = "",
        next_steps: Sequence[str] = (),
    ) -> None:
        self.subject = subject
        self.problem = problem
        self.facts = tuple(facts)
        self.effect = effect
        self.next_steps = tuple(next_steps)
        super().__init__(self.render())

    def render(self) -> str:
        """Return the message as people see it, without a trailing newline."""
        rows = list(self.facts)
        if self.effect:
            rows.append(("effect", self.effect))
        if self.next_steps:
            rows.append(("next", "   or   ".join(self.next_steps)))
        width = max((len(label) for label, _ in rows), default=0)
        pad = "\n" + " " * (width + 5)
        lines = [f"{self.subject}: {self.problem}"]
        lines += [f"  {label:<{width}}   {text.replace(chr(10), pad)}" for label, text in rows]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(cls: type[DataplatError], state: dict[str, object]) -> DataplatError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    Exception.__init__(error, error.render())
    return error


class SpecError(DataplatError):
    """The configuration is wrong. Raised once, with every problem of every file; nothing was run."""


class SelectionError(DataplatError):
    """A table, partition or range named by the user does not exist or cannot be read as one."""


class DateExpressionError(DataplatError):
    """A ``$[…]`` expression cannot be parsed. Nothing was sent anywhere."""


class MissingSecretError(DataplatError):
    """A secret was referenced and is in none of the places searched (the message lists them)."""


class SourceError(DataplatError):
    """The source refused: wrong password, unknown table or column, bad SQL. Trying again will not help."""


class SourceUnavailableError(SourceError):
    """The source could not be reached, or dropped the connection: the same call may succeed later."""

    retryable = True


class SourceBehindError(SourceUnavailableError):
    """A replica did not catch up in the time that a read may wait for it. Nothing was read."""


class QueryTooLongError(SourceError):
    """The source ended a query that took longer than it may."""


class EngineError(DataplatError):
    """Spark refused or failed the work. What was visible before is still visible."""


class QueryRefusedError(EngineError):
    """Spark's analysis refused SQL. Nothing was run.

    Attributes:
        line: Of the SQL that was sent, from 1; 0 where Spark does not say.
        column: In that line, from 0.
        reason: What is wrong, in one line.
    """

    line = 0
    column = 0
    reason = ""


class EngineLostError(EngineError):
    """The engine died or could not be reached during the work; the next use starts a new one."""

    retryable = True


class StorageError(DataplatError):
    """The warehouse's file system refused: no space, no permission, unreachable, a broken file."""


class LedgerError(DataplatError):
    """The ledger could not be opened, migrated or written."""


class WatermarkError(DataplatError):
    """The watermark of the audits cannot be read or kept. Nothing was taken for audited."""


class LoadInProgressError(DataplatError):
    """Another load holds the partition. Nothing was read."""

    retryable = True


class LostLockError(DataplatError):
    """The lock on a partition was taken over by another load. Nothing was published by this one."""


class AuditFailedError(DataplatError):
    """The audit rejected one or more partitions: they were not published, the others were."""


class VersionError(DataplatError):
    """No version of a partition can answer, or be made to: none, unknown, collected, not as recorded."""


class GateClosedError(DataplatError):
    """An upstream partition is not published, or held, and nobody waived it. Nothing was read."""


class SchemaConflictError(DataplatError):
    """The table in Hive and the table as planned do not fit. Nothing was read."""


class PlanChangedError(DataplatError):
    """The configuration is no longer that of a backfill's plan. Nothing was run."""


class DemoError(DataplatError):
    """The demo could not set up or reach its private servers."""
