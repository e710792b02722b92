"""A table as large as a benchmark wants: 16 columns, made by the server itself.

The rows are arithmetic on MariaDB's sequence engine, so six million of them take about half a minute,
cross no wire, and are the same every time. Numbers are spread by multiplication with primes, a sixth of
some columns is NULL, and ``update_time`` grows with ``id`` as it does in a log.
"""

from datetime import date

from dataplat.demo.bulk import ConnectionFactory, Progress, session
from dataplat.demo.story import FIRST_DAY

ROWS_PER_CHUNK = 250_000

_COLUMNS = """
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    account_id INT UNSIGNED NOT NULL,
    product_id INT UNSIGNED NULL,
    fingerprint BIGINT NOT NULL,
    flag TINYINT(1) NOT NULL,
    score SMALLINT NOT NULL,
    price DECIMAL(12,2) NOT NULL,
    rate DECIMAL(18,6) NULL,
    weight DOUBLE NOT NULL,
    name VARCHAR(64) NOT NULL,
    code CHAR(12) NOT NULL,
    note VARCHAR(120) NULL,
    kind ENUM('a','b','c','d') NOT NULL,
    day DATE NOT NULL,
    create_time DATETIME NOT NULL,
    update_time DATETIME(3) NOT NULL,
    KEY idx_update_time (update_time)
"""
_SELECT = """
SELECT seq,
       seq * 7919 % 1000003,
       IF(seq % 6 = 0, NULL, seq * 40503 % 50021),
       seq * 982451653,
       seq & 1,
       CAST(seq % 60000 AS SIGNED) - 30000,
       (seq * 7919 % 100000000) / 100,
       IF(seq % 11 = 0, NULL, (seq * 104729 % 1000000000) / 1000000),
       seq / 7e0,
       CONCAT('客户 ', seq * 31 % 1000003),
       LPAD(HEX(seq * 2654435761 % 4294967296), 12, '0'),
       IF(seq % 6 = 1, NULL, CONCAT('note ', seq, ' – text of an ordinary length')),
       1 + seq % 4,
       DATE('{day}' + INTERVAL ((seq - 1) * {seconds} DIV {rows}) SECOND),
       '{day}' + INTERVAL ((seq - 1) * {seconds} DIV {rows}) SECOND,
       '{day}' + INTERVAL ((seq - 1) * {seconds} DIV {rows}) SECOND
FROM   seq_{first}_to_{last}
"""


def fill_wide(
    connect: ConnectionFactory,
    table: str,
    rows: int,
    *,
    day: date = FIRST_DAY,
    days: int = 1,
    progress: Progress = lambda table, done, total: None,
) -> int:
    """Drop and create ``database.table`` with this many rows and return the number.

    Args:
        connect: Opens a connection of a user who may create databases.
        table: Its database is created when there is none; nothing else in it is touched.
        rows: Numbered from one.
        day: The first day of ``update_time``.
        days: The rows are spread evenly over so many days.
        progress: Called with the table, rows written and rows in all.
    """
    database = table.split(".")[0]
    with session(connect) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4")
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} ({_COLUMNS}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
        cursor.execute(f"USE {database}")  # the sequence engine needs a database to be chosen
        for first in range(1, rows + 1, ROWS_PER_CHUNK):
            last = min(rows, first + ROWS_PER_CHUNK - 1)
            select = _SELECT.format(day=day, seconds=days * 86_400, rows=rows, first=first, last=last)
            cursor.execute(f"INSERT INTO {table} {select}")
            progress(table, last, rows)
        cursor.execute(f"ANALYZE TABLE {table}")
    return rows
