"""Ids with holes: the same rows under snowflake-like ids and under dense ones, time and memory."""

from dataplat.demo.wide import fill_wide
from dataplat_tests.bench.load import load_table
from dataplat_tests.bench.measure import Side, compare
from dataplat_tests.bench.memory import measure_peaks
from dataplat_tests.bench.setting import Setting, setting

_ROWS = 6_000_000
# Milliseconds, four workers, a counter; after half of the rows a pause of twelve years.
_SNOWFLAKE = "(id * 14 + IF(id > {half}, 400000000000, 0)) << 22 | id % 4 << 12 | id % 7"


def fill_sparse(place: Setting, rows: int) -> None:
    """Fill ``bench.dense`` and copy it into ``bench.sparse`` under other ids."""
    fill_wide(place.database.connect, "bench.dense", rows)
    with place.database.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench.sparse LIKE bench.dense")
        cursor.execute("SHOW COLUMNS FROM bench.dense")
        others = ", ".join(f"`{row[0]}`" for row in cursor.fetchall()[1:])
        chunk = 500_000
        for first in range(0, rows, chunk):
            cursor.execute(
                f"INSERT INTO bench.sparse SELECT {_SNOWFLAKE.format(half=rows // 2)}, {others}"
                f" FROM bench.dense WHERE id > {first} AND id <= {first + chunk}"
            )
        cursor.execute("ANALYZE TABLE bench.sparse")


def sparse_ids(rounds: int = 3, rows: int = _ROWS) -> str:
    """Load of 6 M rows whose ids have holes against the same rows under dense ids."""
    with setting(["dense", "sparse"]) as place:
        print(f"filling {rows:,} rows, twice")
        fill_sparse(place, rows)
        sides = [
            Side(f"{name} ids", lambda name=name: load_table(place, name, ["2026-01-01"], rows))
            for name in ("sparse", "dense")
        ]
        goal = "at most 1.1 × the dense ones"
        result = compare(f"{rows / 1e6:.0f} M rows under sparse ids", goal, sides, rounds=rounds)
        return result.render(sides[0].name)


def sparse_memory() -> str:
    """Peak memory of 1 M against 6 M rows under sparse ids."""
    lines = ["### Peak memory of a load under sparse ids", "", "Goal: it does not grow with the table", ""]
    lines += ["| rows | engine, MiB | command, MiB |", "|---:|---:|---:|"]
    for rows in (1_000_000, 6_000_000):
        with setting(["sparse"], memory="1g") as place:
            fill_sparse(place, rows)
            engine, command = measure_peaks(
                place,
                lambda place=place, rows=rows: load_table(place, "sparse", ["2026-01-01"], rows),
            )
            lines.append(f"| {rows:,} | {engine / 2**20:,.0f} | {command / 2**20:,.0f} |")
            print(lines[-1])
    return "\n".join([*lines, "", "The engine's heap is capped at 1 GiB.", ""])
