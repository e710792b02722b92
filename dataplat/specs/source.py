"""``sources/*.yaml``: one database server that tables are read from, named by its file."""

import re
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.platform import Settings
from dataplat.specs.secrets import Secret
from dataplat.specs.values import Count, Text, WholeNumber, ZoneName

_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[?[0-9a-fA-F:.]+\]?")

_CONNECTIONS_A_LOAD = 2


class BudgetSpec(Spec):
    """What the platform may take from a server that others work on.

    Two numbers follow from ``connections`` and never multiply to more than it: how many loads run at once,
    and how many connections each of them opens.
    """

    connections: Count = Field(4, description="Connections at once, over all tables, runs and processes.")
    max_execution_seconds: Count | None = Field(None, description="The server ends a longer query.")
    lock_wait_seconds: Count = Field(60, description="The server ends a query that waits longer for a lock.")
    tries: Count = Field(4, description="How often a read is begun when the source goes away.")
    rows_per_second: Count | None = Field(
        None, description="Rows read at most, over all connections; without it as fast as they come."
    )
    replica_lag_seconds: Count | None = Field(
        None, description="Reading pauses while the server is further behind than this."
    )
    lag_query: Text | None = Field(
        None, description="SQL for the lag in seconds; without it SHOW REPLICA STATUS is asked."
    )
    lag_wait_seconds: Count = Field(1800, description="How long a read waits for the server to catch up.")
    full_scan_rows: Count = Field(
        10_000_000, description="A larger table is not read from end to end without allow_full_scan."
    )

    @property
    def loads_at_once(self) -> int:
        """How many loads may read from the source at once."""
        return max(1, self.connections // _CONNECTIONS_A_LOAD)

    @property
    def connections_a_load(self) -> int:
        """How many connections one load opens at most.

        >>> budgets = [BudgetSpec(connections=number) for number in (1, 2, 3, 4, 9)]
        >>> [(budget.loads_at_once, budget.connections_a_load) for budget in budgets]
        [(1, 1), (1, 2), (1, 3), (2, 2), (4, 2)]
        """
        return self.connections // self.loads_at_once

    @property
    def rows_per_second_a_load(self) -> float | None:
        """What one load may read: its share, because connections are counted over all processes.

        >>> BudgetSpec(connections=4, rows_per_second=10_000).rows_per_second_a_load
        5000.0
        """
        if self.rows_per_second is None:
            return None
        return self.rows_per_second * self.connections_a_load / self.connections


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError("expected a host name or an address, without user, port or path")
    return name


class SourceSpec(DeclaredSpec):
    """A database server. Its name is the name of its file."""

    secret_keys: ClassVar[frozenset[str]] = frozenset({"password"})

    kind: Literal["mysql"] = Field(description="What kind of server it is.")
    host: Annotated[Text, AfterValidator(_host)] = Field(description="Host name or address.")
    port: WholeNumber = Field(3306, ge=1, le=65535, description="TCP port.")
    user: Text = Field(description="User to log in as; needs to read, nothing else.")
    password: Secret = Field(description="${NAME} or {secret: path}; never the password itself.")
    properties: Settings = Field(default_factory=dict, description="Properties of the JDBC connection.")
    timezone: ZoneName | None = Field(
        None, description="Zone of the wall clock in its DATETIME columns; without it the platform's."
    )
    budget: BudgetSpec = Field(default_factory=BudgetSpec, description="Limits over all tables of it.")

    @property
    def name(self) -> str:
        return self.declared.path.stem

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its wall clock. ``load_catalog`` fills it in where the file leaves it open."""
        assert self.timezone is not None
        return ZoneInfo(self.timezone)
