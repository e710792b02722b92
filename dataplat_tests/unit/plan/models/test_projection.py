"""The columns that a model makes are named, each once, and known to its YAML; those that it reads exist."""

import pytest

from dataplat_tests.unit.plan.models.builders import analyse, messages

DAY = "WHERE ds = '{{ ds }}'"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"SELECT id, sum(type), count(*)\nFROM ods.account {DAY} GROUP BY 1",
         [("config/dw/x.sql:1 column 2 has no name: write SUM(type) AS some_name\n"
          "  SELECT id, sum(type), count(*)\n"
          "             ^"),
          ("config/dw/x.sql:1 column 3 has no name: write COUNT(*) AS some_name\n"
          "  SELECT id, sum(type), count(*)\n"
          "                        ^")]),
        (f"SELECT id,\n  name AS ID\nFROM ods.account {DAY}",
         [("config/dw/x.sql:2 'id' is column 1 and column 2: give one of them another name\n"
          "    name AS ID\n"
          "    ^")]),
        (f"SELECT id, ds FROM ods.account {DAY}",
         [("config/dw/x.sql:1 'ds' is the partition column, which dataplat adds: leave it out\n"
          "  SELECT id, ds FROM ods.account WHERE ds = '{{ ds }}'\n"
          "             ^")]),
        (f"SELECT * FROM ods.account {DAY}",
         [("config/dw/x.sql:1 'ds' is the partition column, which dataplat adds: leave it out\n"
          "  SELECT * FROM ods.account WHERE ds = '{{ ds }}'\n"
          "         ^")]),
        (f"SELECT * FROM ods.raw {DAY}",
         [("config/dw/x.sql:1 * brings 'ds', the partition column, which dataplat adds: leave it out with"
          " * EXCEPT (ds)\n"
          "  SELECT * FROM ods.raw WHERE ds = '{{ ds }}'\n"
          "         ^")]),
        (f"SELECT * EXCEPT (ds) FROM ods.raw {DAY}", []),
        (f"SELECT id AS `编号`, name AS __dp_x FROM ods.account {DAY}",
         [("config/dw/x.sql:1 '__dp_x': names that begin with __dp_ belong to dataplat\n"
          "  SELECT id AS `编号`, name AS __dp_x FROM ods.account WHERE ds = '{{ ds }}'\n"
          "                       ^"),
          ("config/dw/x.sql:1 '编号' is no name for a Hive column (a-z, 0-9, _): choose another with AS\n"
          "  SELECT id AS `编号`, name AS __dp_x FROM ods.account WHERE ds = '{{ ds }}'\n"
          "         ^")]),
        (f"SELECT id FROM ods.account {DAY}\nUNION ALL\nSELECT id, money FROM ods.money {DAY}",
         [("config/dw/x.sql:3 this SELECT has 2 columns, and the first of the union has 1\n"
          "  SELECT id, money FROM ods.money WHERE ds = '{{ ds }}'\n"
          "         ^")]),
        (f"SELECT idd FROM ods.account {DAY}",
         [("config/dw/x.sql:1 'idd' is no column of ods.account; did you mean 'id'?\n"
          "  SELECT idd FROM ods.account WHERE ds = '{{ ds }}'\n"
          "         ^")]),
        (("SELECT a.id FROM ods.account a JOIN ods.money m ON m.acount_id = a.id AND m.ds = a.ds\n"
         "WHERE a.ds = '{{ ds }}' AND a.qqq = 1"),
         [("config/dw/x.sql:1 'acount_id' is no column of ods.money; did you mean 'account_id'?\n"
          "  SELECT a.id FROM ods.account a JOIN ods.money m ON m.acount_id = a.id AND m.ds = a.ds\n"
          "                                                     ^"),
          ("config/dw/x.sql:2 'qqq' is no column of ods.account\n"
          "  WHERE a.ds = '{{ ds }}' AND a.qqq = 1\n"
          "                              ^")]),
        (f"WITH t AS (SELECT id AS number, ds FROM ods.account)\nSELECT id FROM t {DAY}",
         [("config/dw/x.sql:2 'id' is no column of t\n"
          "  SELECT id FROM t WHERE ds = '{{ ds }}'\n"
          "         ^")]),
    ],
)  # fmt: skip
def test_a_column_that_cannot_be_is_shown_where_it_stands(sql: str, found: list[str]) -> None:
    assert sorted(messages(analyse(sql))) == found


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT id, id + 1 AS next, next + 1 AS after FROM ods.account {DAY}",
        f"SELECT type, count(*) AS n FROM ods.account {DAY} GROUP BY type HAVING n > 1 ORDER BY n",
        f"SELECT id, filter(split(name, ','), w -> w <> '') AS words FROM ods.account {DAY}",
        f"SELECT anything, other.field AS field FROM ods.raw {DAY}",
        f"SELECT k, v FROM ods.account LATERAL VIEW explode(map(name, id)) t AS k, v {DAY}",
        f"SELECT pos, part FROM ods.account LATERAL VIEW posexplode(split(name, ',')) {DAY}",
        f"SELECT id, _metadata.file_path AS path FROM ods.account {DAY}",
        (
            f"SELECT p, q FROM (SELECT type, id FROM ods.account {DAY}) PIVOT (max(id) FOR type IN (1"
            f" AS p, 2 AS q))"
        ),
        "SELECT r.id FROM range(10) r",
        "SELECT v.a FROM VALUES (1, 2) AS v (a, b)",
        (
            "SELECT (SELECT max(m.money) FROM ods.money m WHERE m.ds = a.ds AND m.account_id = a.id) AS most"
            " FROM ods.account a WHERE a.ds = '{{ ds }}'"
        ),
        f"SELECT id, sum(type) OVER w AS s FROM ods.account {DAY} WINDOW w AS (PARTITION BY name)",
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r",
        (
            "SELECT a.id FROM (ods.account a JOIN ods.money m ON m.account_id = a.id AND m.ds = a.ds)"
            " WHERE a.ds = '{{ ds }}'"
        ),
    ],
)
def test_names_that_only_spark_can_judge_are_left_to_it(sql: str) -> None:
    assert messages(analyse(sql)) == []


def test_what_the_yaml_speaks_of_is_among_the_columns() -> None:
    keys = {
        "key": ["idd"],
        "sensitive": ["NAME"],
        "columns": {"nmae": "the name"},
        "checks": [{"not_null": ["id", "q"]}],
    }

    assert messages(analyse(f"SELECT id, name FROM ods.account {DAY}", **keys)) == [
        "config/dw/x.yaml:1 key[0]: 'idd' is not a column of the SQL; did you mean 'id'?",
        "config/dw/x.yaml:1 columns.nmae: 'nmae' is not a column of the SQL; did you mean 'name'?",
        "config/dw/x.yaml:1 checks[0].not_null[1]: 'q' is not a column of the SQL",
    ]
    assert messages(analyse(f"SELECT * EXCEPT (ds) FROM ods.raw {DAY}", **keys)) == []
