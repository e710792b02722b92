"""Every MySQL type there and back: the source asked by pymysql, the files read by pyarrow, Spark by neither.

Both drivers hand out what they make of a value, so neither is asked to: pymysql gives the server's own
text and bytes (no decoders), and what must become of them is said by ``type_kinds``.
"""

import hashlib
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymysql.converters import encoders

from dataplat.demo.every_type import COLUMNS, DAY, fill_every_type
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.integration.type_kinds import Kind, comparable, kind_of
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.process import DIES_WITH_US

pytestmark = pytest.mark.integration

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
ROWS = 240
NEVER_A_DATE = ("c_date_partial",)  # every value of it becomes NULL
HOUR = 3600 * 10**6
INSTANTS = [
    datetime.fromisoformat(text).timestamp()
    for text in (
        "2026-03-08T01:59:59-05:00",
        "2026-03-08T03:00:00-04:00",
        "2026-11-01T00:59:59-04:00",
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T01:30:00-05:00",
        "2026-11-01T02:00:00-05:00",
        "1970-01-02T00:00:00-05:00",
        "2038-01-18T22:14:07-05:00",
    )
]
SECOND_PASS = 5  # the row that the source's clock shows as it shows row 4
PROTOCOLS = {"binary": "{}", "text": '{useServerPrepStmts: "false"}'}


class Loaded:
    """A table as both sides hold it: the server's own text by id, and the columns of the files by id."""

    def __init__(self, warehouse: Warehouse, name: str, *, source: str = "shop", day: str = f"{DAY}") -> None:
        self._warehouse, self._name = warehouse, name
        target = f"{name}_{source}"
        origin = f"{{database: shop, table: {name}}}"
        window = f"{{column: update_time, grain: day, start: {day}}}"
        spec = warehouse.declare(target, source=source, from_=origin, window=window)
        self.report = warehouse.load_one(spec, day)
        [location] = warehouse.reader.locations(spec.table).values()
        paths = warehouse.reader.files.paths(location)
        table = pa.concat_tables([pq.ParquetFile(path).read() for path in paths])
        self.columns = {name: comparable(table.column(name)) for name in table.column_names}
        self.hive = {
            row[0]: row[1]
            for row in warehouse.platform.engine().session().sql(f"DESCRIBE {spec.table}").collect()
        }

    def found(self, column: str) -> dict[int, Any]:
        """Return the values of the files by id."""
        return dict(zip(map(int, self.columns["id"]), self.columns[column], strict=True))

    def expected(self, column: str, kind: Kind) -> dict[int, Any]:
        """Return what the server holds by id, as it must be in the files."""
        rows = self.ask(f"SELECT id, {kind.ask.format(f'`{column}`')} FROM shop.{self._name}")
        return {int(number): None if raw is None else kind.expected(raw) for number, raw in rows}

    def checksum_at_source(self, column: str, kind: Kind) -> tuple[int, int]:
        """Return how many values there are and the sum of their checksums, computed by the server."""
        text = kind.text_sql.format(f"`{column}`")
        digest = f"CONV(LEFT(MD5(CONCAT(id, ':', {text})), 8), 16, 10)"
        sql = f"SELECT COUNT({text}), COALESCE(SUM(CAST({digest} AS UNSIGNED)), 0) FROM shop.{self._name}"
        [(count, checksum)] = self.ask(sql)
        return int(count), int(checksum)

    def checksum_of_files(self, column: str, kind: Kind) -> tuple[int, int]:
        """Return the same of the files, computed here."""
        there = {row: value for row, value in self.found(column).items() if value is not None}
        digests = (hashlib.md5(f"{row}:{kind.text(value)}".encode()) for row, value in there.items())
        return len(there), sum(int(digest.hexdigest()[:8], 16) for digest in digests)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the server's own text and bytes."""
        with self._warehouse.mariadb.connect(conv=dict(encoders)) as connection:
            cursor = connection.cursor()
            cursor.execute("SET time_zone = '+08:00'")
            cursor.execute(sql)
            return list(cursor.fetchall())


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A source of its own, because it knows the time zones by name, as a well-kept server does."""
    root = tmp_path_factory.mktemp("types")
    with PrivateMariaDB(root, launcher=DIES_WITH_US) as server:
        house = Warehouse(root, server, uri=f"file://{root}/warehouse")
        try:
            yield house
        finally:
            house.close()


@pytest.fixture(scope="module", params=sorted(PROTOCOLS))
def loaded(request: pytest.FixtureRequest, warehouse: Warehouse) -> Loaded:
    """The table of every type, loaded through one of the driver's two protocols."""
    fill_every_type(warehouse.mariadb.connect, "shop.t_every_type", rows=ROWS)
    warehouse.write_source(request.param, properties=PROTOCOLS[request.param])
    return Loaded(warehouse, "t_every_type", source=request.param)


@pytest.fixture(params=COLUMNS, ids=[column.name for column in COLUMNS])
def column(request: pytest.FixtureRequest) -> tuple[str, Kind]:
    return request.param.name, kind_of(request.param.declared, SHANGHAI)


def test_every_row_is_there_once(loaded: Loaded) -> None:
    assert loaded.report.rows == ROWS
    assert sorted(map(int, loaded.columns["id"])) == list(range(1, ROWS + 1))


def test_the_column_has_its_documented_type_in_hive(loaded: Loaded, column: tuple[str, Kind]) -> None:
    name, kind = column
    assert loaded.hive[name] == kind.hive


def test_the_column_comes_back_value_by_value(loaded: Loaded, column: tuple[str, Kind]) -> None:
    name, kind = column
    expected, found = loaded.expected(name, kind), loaded.found(name)
    wrong = {row: (expected[row], found[row]) for row in expected if expected[row] != found[row]}
    assert wrong == {}


def test_the_checksum_of_the_column_is_the_servers_own(loaded: Loaded, column: tuple[str, Kind]) -> None:
    name, kind = column
    count, checksum = loaded.checksum_of_files(name, kind)
    assert (count, checksum) == loaded.checksum_at_source(name, kind)
    assert (count > 0) == (name not in NEVER_A_DATE)


def test_one_changed_value_changes_the_checksum(loaded: Loaded, column: tuple[str, Kind]) -> None:
    name, kind = column
    if name in NEVER_A_DATE:
        return
    values = loaded.columns[name]
    one = next(place for place, value in enumerate(values) if value is not None)
    other = next(value for value in values if value is not None and value != values[one])
    before = loaded.checksum_of_files(name, kind)
    loaded.columns[name] = [*values[:one], other, *values[one + 1 :]]
    after = loaded.checksum_of_files(name, kind)
    loaded.columns[name] = values
    assert after != before


@pytest.fixture(scope="module")
def new_york(warehouse: Warehouse) -> Loaded:
    """Instants around both clock changes of 2026, in a source whose clock is New York's."""
    script = subprocess.run(
        ["mariadb-tzinfo-to-sql", "/usr/share/zoneinfo/America/New_York", NEW_YORK.key],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    wanted = ("INSERT INTO time_zone", "SET @time_zone_id")
    statements = [text.strip() for text in script.split(";\n") if text.strip().startswith(wanted)]
    warehouse.sql(*statements, database="mysql")
    values = ", ".join(
        f"({number}, FROM_UNIXTIME({instant}), FROM_UNIXTIME({instant}), '2026-11-01 12:00:00')"
        for number, instant in enumerate(map(int, INSTANTS), 1)
    )
    warehouse.sql(
        f"SET time_zone = '{NEW_YORK.key}'",
        "CREATE TABLE shop.t_zone (id INT PRIMARY KEY, moment TIMESTAMP NOT NULL, wall DATETIME(6) NOT NULL,"
        " update_time DATETIME NOT NULL)",
        f"INSERT INTO shop.t_zone VALUES {values}",
    )
    warehouse.write_source("new_york", timezone=NEW_YORK.key)
    return Loaded(warehouse, "t_zone", source="new_york", day="2026-11-02")


def test_a_moment_of_a_source_whose_clock_changes_is_the_same_instant(new_york: Loaded) -> None:
    found = new_york.found("moment")
    assert found == new_york.found("wall")
    told_apart = {number: instant * 10**6 for number, instant in enumerate(map(int, INSTANTS), 1)}
    assert {number: value for number, value in found.items() if number != SECOND_PASS} == {
        number: value for number, value in told_apart.items() if number != SECOND_PASS
    }


def test_of_the_hour_that_comes_twice_both_passes_read_as_the_first(new_york: Loaded) -> None:
    """What arrives is a wall clock, and of two equal ones the earlier is meant. This loses an hour."""
    found = new_york.found("moment")
    assert found[SECOND_PASS] == found[SECOND_PASS - 1] == int(INSTANTS[SECOND_PASS - 1]) * 10**6 - HOUR
