"""The Hive catalog: tables are made and widened here, and partitions are published.

Publishing moves one pointer of the metastore, ``LOCATION``, for each partition. There are two ways to
move it: Spark SQL, which works on every catalog, and the metastore's own Thrift API, which moves many
in one call. Which one is used depends only on whether the engine names a metastore.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, Protocol

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from dataplat.engine.translate import engine_errors
from dataplat.plan.ddl import (
    HiveColumn,
    quote_identifier,
    quote_literal,
    quote_table,
    render_add_columns,
    render_create_database,
    render_create_table,
    render_drop_partitions,
    render_publish,
)
from dataplat.plan.partitions import hive_path

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HiveTable:
    """A table as Hive has it: what may only be added to, and what cannot change."""

    columns: tuple[HiveColumn, ...]
    partition_names: tuple[str, ...]
    data_format: str


class PartitionStore(Protocol):
    """What the metastore can be asked and told about the partitions of one table."""

    def locations(self, table: str, partitions: Sequence[Values]) -> Mapping[Values, str]:
        """Return where each of ``partitions`` points; absent ones are absent."""

    def publish(self, table: str, targets: Mapping[Values, str]) -> None:
        """Point each partition at its location, adding those that do not exist.

        Each partition moves atomically. When this raises, some may have moved: ask ``locations``.
        """

    def drop(self, table: str, partitions: Sequence[Values]) -> None:
        """Forget partitions; their files stay. Absent ones are fine."""


class SqlPartitionStore:
    """Partitions through Spark SQL: any catalog, one statement a moved partition."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def locations(self, table: str, partitions: Sequence[Values]) -> Mapping[Values, str]:
        """See :class:`PartitionStore`. One ``DESCRIBE`` a partition that exists."""
        with engine_errors(table):
            present = self._present(table, partitions)
            return {values: self._location(table, values) for values in partitions if values in present}

    def publish(self, table: str, targets: Mapping[Values, str]) -> None:
        """See :class:`PartitionStore`."""
        with engine_errors(table):
            present = self._present(table, list(targets))
            for statement in render_publish(table, present, targets):
                self._session.sql(statement)

    def drop(self, table: str, partitions: Sequence[Values]) -> None:
        """See :class:`PartitionStore`."""
        with engine_errors(table):
            for statement in render_drop_partitions(table, partitions):
                self._session.sql(statement)

    def _present(self, table: str, partitions: Sequence[Values]) -> set[Values]:
        query = f"SHOW PARTITIONS {quote_table(table)}"
        if len(partitions) == 1:
            query += f" PARTITION ({_spec(partitions[0])})"
        rows = {row[0] for row in self._session.sql(query).collect()}
        return {values for values in partitions if hive_path(values) in rows}

    def _location(self, table: str, values: Values) -> str:
        rows = self._session.sql(
            f"DESCRIBE FORMATTED {quote_table(table)} PARTITION ({_spec(values)})"
        ).collect()
        return next(str(row[1]) for row in rows if row[0].strip() == "Location")


class HiveCatalog:
    """Databases and tables of the warehouse."""

    def __init__(self, session: SparkSession, warehouse: str) -> None:
        self._session = session
        self._warehouse = warehouse.rstrip("/")

    def table_location(self, table: str) -> str:
        """Return where a table of ours lives: ``<warehouse>/<database>.db/<name>``."""
        database, name = table.split(".")
        return f"{self._warehouse}/{database}.db/{name}"

    def columns(self, table: str) -> tuple[HiveColumn, ...] | None:
        """Return the table's columns without its partition columns; ``None`` when there is no table."""
        found = self.describe(table)
        return None if found is None else found.columns

    def describe(self, table: str) -> HiveTable | None:
        """Return what Hive knows of a table; ``None`` when there is none."""
        database, name = table.split(".")
        with engine_errors(table):
            databases = {row[0] for row in self._session.sql("SHOW DATABASES").collect()}
            if database not in databases:
                return None
            listing = f"SHOW TABLES IN {quote_identifier(database)} LIKE {quote_literal(name)}"
            if not self._session.sql(listing).collect():
                return None
            rows = self._session.sql(f"DESCRIBE FORMATTED {quote_table(table)}").collect()
        return _hive_table([(str(row[0]), str(row[1]), str(row[2] or "")) for row in rows])

    def create(
        self,
        table: str,
        columns: Sequence[HiveColumn],
        partition_names: Sequence[str],
        data_format: Literal["parquet", "orc"],
        comment: str,
    ) -> None:
        """Create the database and the external table where they are absent. Safe to call at once."""
        database = table.split(".")[0]
        location = self.table_location(table)
        properties = {"dataplat.managed": "true"}
        statement = render_create_table(
            table, columns, partition_names, data_format, location, comment, properties
        )
        with engine_errors(table):
            self._session.sql(render_create_database(database, f"{self._warehouse}/{database}.db"))
            try:
                self._session.sql(statement)
            except AnalysisException:
                # Two first loads at once: the metastore lets one win, the other finds the table there.
                if self.columns(table) is None:
                    raise

    def add_columns(self, table: str, columns: Sequence[HiveColumn]) -> None:
        """Widen a table; old partitions read NULL in the new columns. Safe to call at once."""
        with engine_errors(table):
            try:
                self._session.sql(render_add_columns(table, columns))
            except AnalysisException:
                # Two loads saw the same new column: one added it, the other finds it there.
                present = {column.name.lower() for column in self.columns(table) or ()}
                if not present.issuperset(column.name.lower() for column in columns):
                    raise


def _hive_table(rows: Sequence[tuple[str, str, str]]) -> HiveTable:
    """Read ``DESCRIBE FORMATTED``: columns, then partition columns again under a heading, then facts."""
    plain = list(takewhile(lambda row: row[0] and not row[0].startswith("#"), rows))
    rest = rows[len(plain) :]
    partitions = [name for name, _, _ in takewhile(lambda row: row[0], rest) if not name.startswith("#")]
    serde = next((value for name, value, _ in rest if name == "Serde Library"), "").lower()
    known = [data_format for data_format in ("parquet", "orc") if data_format in serde]
    columns = [HiveColumn(*row) for row in plain if row[0] not in partitions]
    return HiveTable(tuple(columns), tuple(partitions), known[0] if known else serde)


def _spec(values: Values) -> str:
    return ", ".join(f"{quote_identifier(name)}={quote_literal(value)}" for name, value in values)
