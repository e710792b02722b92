"""Cuts by every kind of key, asked of a real MariaDB: each row is in one part, and the parts are even.

No engine: what Spark would send, ``SELECT … FROM (query) WHERE task``, is sent as it is, so the server
compares keys with bounds as it does in a load. Rows of all parts are held against the table's own.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.cuts import cut_partitions
from dataplat.lifecycle.source_table import SourceTable
from dataplat.plan.cuts import Cut
from dataplat.plan.reads import plan_reads
from dataplat.plan.splits import PartitionSize, plan_tasks
from dataplat.specs import SecretResolver, TableSpec, load_catalog
from dataplat_tests.services.effort import repetitions

pytestmark = pytest.mark.integration

ROWS = 12_000
SNOWFLAKE = "(seq * 977 + IF(seq > 7000, 5000000000, 0)) << 22 | seq % 4 << 12 | seq % 7"
MOMENT = "'2026-01-05' + INTERVAL seq * seq % 86400 SECOND + INTERVAL seq MICROSECOND"
# The columns of the key, and what fills them.
KINDS: dict[str, tuple[str, str]] = {
    "dense": ("id BIGINT PRIMARY KEY", "seq"),
    "snowflake": ("id BIGINT UNSIGNED PRIMARY KEY", SNOWFLAKE),
    "around_zero": ("id INT PRIMARY KEY", "CAST(seq AS INT) - 9000"),
    "end_of_unsigned": ("id BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - seq * seq"),
    "decimals": ("id DECIMAL(24,4) PRIMARY KEY", "seq * seq / 7"),
    "uuid_text": ("id CHAR(36) CHARACTER SET ascii PRIMARY KEY", "UUID()"),
    "md5": ("id CHAR(32) CHARACTER SET latin1 PRIMARY KEY", "MD5(seq)"),
    "upper_md5": ("id CHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY", "UPPER(MD5(seq))"),
    "binary_uuid": ("id BINARY(16) PRIMARY KEY", "UNHEX(MD5(seq))"),
    "uuid_type": ("id UUID PRIMARY KEY", "UUID()"),
    "words": ("id VARCHAR(40) COLLATE utf8mb4_unicode_ci PRIMARY KEY", "CONCAT('客户''\\\\ ', MD5(seq))"),
    "order_numbers": ("id VARCHAR(40) COLLATE utf8mb4_general_ci PRIMARY KEY", "CONCAT('SO-2026-', seq)"),
    "dates": ("id DATE, n INT, PRIMARY KEY (id, n)", "'2020-01-01' + INTERVAL seq % 900 DAY, seq"),
    "times": ("id DATETIME(6) PRIMARY KEY", MOMENT),
    "stamps": ("id TIMESTAMP(6) PRIMARY KEY", MOMENT),
    "few_tenants": ("id INT, n BIGINT, PRIMARY KEY (id, n)", "seq % 2, seq"),
    "three_columns": (
        "id VARCHAR(9), n INT, m DATETIME, PRIMARY KEY (id, n, m)",
        "ELT(1 + seq % 3, 'a', 'B', 'ç'), seq % 5, '2026-01-01' + INTERVAL seq SECOND",
    ),
    "unique_not_null": ("id BIGINT NOT NULL UNIQUE", SNOWFLAKE),
}


class Source:
    """Tables of one database of the private server, declared and cut."""

    def __init__(self, root: Path, mariadb: PrivateMariaDB) -> None:
        self.root, self.mariadb = root, mariadb
        self.environ = {"PASSWORD": mariadb.instance.etl_password}
        for folder in ("sources", "ods"):
            (root / folder).mkdir()
        (root / "platform.yaml").write_text(
            f"timezone: Asia/Shanghai\nwarehouse: file://{root}\nledger: sqlite:///{root}/l.db\n"
            "start: 2026-01-01\nengine: {mode: local}\n"
        )
        (root / "sources" / "cut.yaml").write_text(
            f"kind: mysql\nhost: 127.0.0.1\nport: {mariadb.instance.port}\nuser: etl\n"
            "password: ${PASSWORD}\nbudget: {connections: 2}\n"
        )
        self.sql("CREATE DATABASE IF NOT EXISTS cuts CHARACTER SET utf8mb4")

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        with self.mariadb.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+08:00'")
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def declare(self, name: str, text: str = "") -> TableSpec:
        load = "" if "load:" in text else "load: snapshot\n"
        (self.root / "ods" / f"{name}.yaml").write_text(
            f"table: ods.{name}\nsource: cut\nfrom: {{database: cuts, table: {name}}}\n{load}"
            f'columns: "*"\n{text}'
        )
        return load_catalog(self.root, self.environ).table(f"ods.{name}")

    def cut(self, spec: TableSpec, pieces: int, *keys: str) -> tuple[Cut, list[str]]:
        """Return where the last of some days (2026-01-05) is cut, and what is sent for each part of all."""
        catalog, secrets = load_catalog(self.root, self.environ), SecretResolver(self.environ)
        instances = catalog.instances_of(spec)
        table = SourceTable(spec, instances, spec.partition, "Asia/Shanghai", secrets)
        survey = table.survey([*keys, "2026-01-05"])
        sizes = []
        for part in range(survey.shape.spans):
            counts = [one for one in table.count(survey, with_split_range=True) if one.part == part]
            lows = [count.low for count in counts if count.low is not None]
            highs = [count.high for count in counts if count.high is not None]
            rows = sum(count.rows for count in counts)
            sizes.append(PartitionSize(part, rows, min(lows, default=None), max(highs, default=None)))
        last = sizes[-1].part
        found = cut_partitions(instances, secrets, survey, sizes, {last: pieces})
        cuts = {size.part: Cut() for size in sizes} | found
        tasks = plan_tasks(sizes, parallelism=2, parts=pieces, cuts=cuts)
        (read,) = plan_reads(survey.shape, survey.shards, tasks)
        sent = [f"SELECT {{}} FROM ({read.query}) AS r WHERE {one}" for one in read.predicates or ("1",)]
        return found[last], sent

    def rows_of(self, sent: Sequence[str]) -> list[int]:
        return [int(str(self.sql(one.format("COUNT(*)"))[0][0])) for one in sent]


@pytest.fixture(scope="module")
def source(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(tmp_path_factory.mktemp("cuts"), mariadb)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_about_equal_rows_hold_every_row_once(source: Source, kind: str) -> None:
    columns, values = KINDS[kind]
    source.sql(
        f"CREATE OR REPLACE TABLE cuts.{kind} ({columns}, filler VARCHAR(99))",
        "USE cuts",
        f"INSERT INTO {kind} SELECT {values}, REPEAT('x', 90) FROM seq_1_to_{ROWS}",
        f"ANALYZE TABLE {kind}",
    )

    cut, sent = source.cut(source.declare(kind), pieces=4)

    rows = source.rows_of(sent)
    assert sum(rows) == ROWS
    assert len(rows) == 4
    assert max(rows) <= 1.35 * ROWS / 4, (rows, cut)
    assert [round(share * ROWS / 1000) for share in cut.shares] == pytest.approx(
        [round(part / 1000) for part in rows], abs=2
    )


WINDOW = "load: incremental\nwindow: {column: at, grain: day}\n"
# Of 30,000 rows one in ten is of 2026-01-05, and most of these of its last hour.
MOMENTS = (
    "IF(seq % 10, '2025-12-01' + INTERVAL seq SECOND,"
    " '2026-01-05' + INTERVAL IF(seq % 100, 23, 0) * 3600 + seq % 3600 SECOND)"
)


@pytest.mark.parametrize("key", ["id BIGINT PRIMARY KEY", "id BIGINT", "id CHAR(9) PRIMARY KEY"])
@pytest.mark.parametrize("kind", ["DATETIME(3)", "TIMESTAMP"])
def test_a_window_that_is_a_small_part_of_the_table_is_cut_by_time(
    source: Source, key: str, kind: str
) -> None:
    source.sql(
        f"CREATE OR REPLACE TABLE cuts.flow ({key}, at {kind} NOT NULL, KEY (at))",
        "USE cuts",
        f"INSERT INTO flow SELECT seq, {MOMENTS} FROM seq_1_to_30000",
        "ANALYZE TABLE flow",
    )

    cut, sent = source.cut(source.declare("flow", WINDOW), pieces=4)

    rows = source.rows_of(sent)
    assert (cut.on, len(rows), sum(rows)) == ("window", 4, 3_000)
    assert max(rows) <= 1.5 * 3_000 / 4, rows
    plans = [source.sql("EXPLAIN " + one.format("*"))[0] for one in sent]
    assert {plan[5] for plan in plans} == {"at"}


def test_of_several_days_the_large_one_is_cut_and_the_others_stay_whole(source: Source) -> None:
    source.sql(
        "CREATE OR REPLACE TABLE cuts.days (id BIGINT PRIMARY KEY, at DATETIME NOT NULL, KEY (at))",
        "USE cuts",
        f"INSERT INTO days SELECT seq, IF(seq <= 90, '2026-01-03 10:00:00', {MOMENTS}) FROM seq_1_to_30000",
        "ANALYZE TABLE days",
    )

    cut, sent = source.cut(source.declare("days", WINDOW), 3, "2026-01-03", "2026-01-04")

    rows = source.rows_of(sent)
    assert (cut.on, rows[0], len(rows), sum(rows)) == ("window", 90, 4, 90 + 3_000 - 9)
    found = [row[0] for one in sent for row in source.sql(one.format("id"))]
    assert len(found) == len(set(found))


def test_a_window_that_is_all_of_the_table_is_cut_by_its_key(source: Source) -> None:
    source.sql(
        "CREATE OR REPLACE TABLE cuts.one_day (id BIGINT PRIMARY KEY, at DATETIME, note CHAR(90), KEY (at))",
        "USE cuts",
        f"INSERT INTO one_day SELECT {SNOWFLAKE}, '2026-01-05' + INTERVAL seq SECOND, 'x'"
        f" FROM seq_1_to_{ROWS}",
        "ANALYZE TABLE one_day",
    )

    cut, sent = source.cut(source.declare("one_day", WINDOW), pieces=4)

    rows = source.rows_of(sent)
    assert (cut.on, len(rows), sum(rows)) == ("key", 4, ROWS)
    assert max(rows) <= 1.35 * ROWS / 4, rows


def test_a_window_of_one_moment_is_cut_by_the_key_instead(source: Source) -> None:
    source.sql(
        "CREATE OR REPLACE TABLE cuts.batch (id BIGINT PRIMARY KEY, at DATETIME, KEY (at))",
        "USE cuts",
        "INSERT INTO batch SELECT seq << 22, IF(seq % 10, '2025-12-01', '2026-01-05 03:00:00')"
        " FROM seq_1_to_30000",
        "ANALYZE TABLE batch",
    )

    cut, sent = source.cut(source.declare("batch", WINDOW), pieces=4)

    assert (cut.on, source.rows_of(sent)) == ("key", [750, 750, 750, 750])


@pytest.mark.parametrize(
    "columns",
    [
        "id INT, at DATETIME",
        "id FLOAT PRIMARY KEY, at DATETIME",
        "id INT, at DATETIME, KEY a (at) IGNORED",
    ],
)
@pytest.mark.parametrize("load", ["", WINDOW])
def test_a_table_that_nothing_serves_is_one_read(source: Source, columns: str, load: str) -> None:
    source.sql(
        f"CREATE OR REPLACE TABLE cuts.plain ({columns})",
        "USE cuts",
        "INSERT INTO plain SELECT seq, '2026-01-05' FROM seq_1_to_100",
    )

    cut, sent = source.cut(source.declare("plain", load), pieces=4)

    assert (cut, source.rows_of(sent)) == (Cut(), [100])


def test_a_view_is_cut_by_the_key_that_is_declared(source: Source) -> None:
    source.sql(
        "CREATE OR REPLACE TABLE cuts.under (id BIGINT PRIMARY KEY, n INT)",
        "USE cuts",
        f"INSERT INTO under SELECT {SNOWFLAKE}, seq FROM seq_1_to_{ROWS}",
        "ANALYZE TABLE under",
        "CREATE OR REPLACE VIEW over_it AS SELECT * FROM under",
    )

    _, by_id = source.cut(source.declare("over_it", "key: [id]\n"), pieces=4)
    _, by_n = source.cut(source.declare("over_it", "key: [n]\n"), pieces=4)

    assert max(source.rows_of(by_id)) <= 1.35 * ROWS / 4
    assert source.rows_of(by_n) == [ROWS]


@pytest.mark.parametrize("parts", [2, 256])
def test_parts_are_as_many_as_wanted_up_to_the_cap(source: Source, parts: int) -> None:
    source.sql(
        "CREATE OR REPLACE TABLE cuts.many (id BIGINT PRIMARY KEY)",
        "USE cuts",
        f"INSERT INTO many SELECT {SNOWFLAKE} FROM seq_1_to_{ROWS}",
    )

    _, sent = source.cut(source.declare("many"), pieces=parts)

    assert len(sent) == parts


TEXTS = st.text(st.sampled_from("aAäßb \\'%_?{é名😀0"), max_size=4)
COLLATIONS = (
    ("utf8mb4", "utf8mb4_general_ci"),
    ("utf8mb4", "utf8mb4_unicode_ci"),
    ("utf8mb4", "utf8mb4_danish_ci"),
    ("utf8mb4", "utf8mb4_nopad_bin"),
    ("latin1", "latin1_swedish_ci"),
)


@pytest.mark.parametrize(("charset", "collation"), COLLATIONS)
@settings(
    max_examples=repetitions(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    texts=st.lists(st.none() | TEXTS, min_size=1, max_size=60),
    parts=st.integers(2, 9),
    kind=st.sampled_from(["VARCHAR(9)", "CHAR(9)"]),
)
def test_texts_of_any_collation_are_in_one_part_each(
    source: Source, charset: str, collation: str, texts: list[str | None], parts: int, kind: str
) -> None:
    """Letters that differ in case or accent alone, trailing blanks, quotes, and rows without a key."""
    with source.mariadb.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"CREATE OR REPLACE TABLE cuts.texts (n INT AUTO_INCREMENT PRIMARY KEY,"
            f" k {kind} CHARACTER SET {charset} COLLATE {collation}, KEY (k))"
        )
        if charset == "latin1":
            texts = [text and text.encode("latin1", "replace").decode("latin1") for text in texts]
        cursor.executemany("INSERT INTO cuts.texts (k) VALUES (%s)", [(text,) for text in texts])
    spec = source.declare("texts", "split: {column: k}\n")

    _, sent = source.cut(spec, parts)

    found = Counter(row[0] for one in sent for row in source.sql(one.format("n")))
    assert found == Counter(range(1, len(texts) + 1))
