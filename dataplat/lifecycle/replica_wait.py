"""Reading waits while a replica is behind: a read would keep it from catching up, and would miss rows."""

import time
from collections.abc import Callable

from dataplat.errors import SourceBehindError
from dataplat.sources.mysql import connect_source
from dataplat.sources.replica_lag import replica_lag
from dataplat.specs import SecretResolver, SourceSpec

LOOK_AGAIN_SECONDS = 5.0


def wait_for_replica(
    source: SourceSpec, secrets: SecretResolver, tag: str, say: Callable[[str], None]
) -> None:
    """Return when a source is not further behind than its budget allows; at once where it names no bound.

    ``say`` hears it once, and again whenever replication stops or goes on.

    Raises:
        SourceBehindError: It has not caught up in ``lag_wait_seconds``.
        SourceError: It does not say how far it is behind, or could not be asked.
    """
    bound = source.budget.replica_lag_seconds
    if bound is None:
        return
    deadline = time.monotonic() + source.budget.lag_wait_seconds
    said = None
    while True:
        with connect_source(source, secrets, tag) as connection:
            lag = replica_lag(connection)
        if lag is not None and lag <= bound:
            return
        if time.monotonic() >= deadline:
            raise _behind(source, lag)
        if said != (lag is None):
            say(_waiting(source, lag))
            said = lag is None
        time.sleep(min(LOOK_AGAIN_SECONDS, max(deadline - time.monotonic(), 0)))


def _waiting(source: SourceSpec, lag: float | None) -> str:
    bound = source.budget.replica_lag_seconds
    if lag is None:
        return f"for {source.name}, where replication does not run"
    return f"for {source.name}, which is {lag:g} s behind; {bound} s are allowed"


def _behind(source: SourceSpec, lag: float | None) -> SourceBehindError:
    return SourceBehindError(
        f"source {source.name}",
        "replication does not run" if lag is None else "the replica is too far behind",
        facts=[
            ("expected", f"at most {source.budget.replica_lag_seconds} s behind"),
            ("found", "replication has stopped" if lag is None else f"{lag:g} s behind"),
            ("waited", f"{source.budget.lag_wait_seconds} s"),
            ("declared", source.declared.at("budget", "replica_lag_seconds")),
        ],
        effect="nothing was read; what was visible before is still visible",
        next_steps=["run the command again when it has caught up", "raise budget.lag_wait_seconds"],
    )
