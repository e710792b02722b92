"""Which partitions a model reads follows from its SQL, however the filter is written."""

import pytest

from dataplat_tests.unit.plan.models.builders import analyse, messages, upstreams


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("ds = '{{ ds }}'", "0 day"),
        ("'{{ ds }}' = ds", "0 day"),
        ("ds = '$[yyyy-MM-dd]'", "0 day"),
        ("ds = date '{{ ds }}'", "0 day"),
        ("ds = cast('{{ ds }}' AS date)", "0 day"),
        ("to_date(ds) = to_date('{{ ds_nodash }}', 'yyyyMMdd')", "0 day"),
        ("replace(ds, '-', '') = '{{ ds_nodash }}'", "0 day"),
        ("cast(replace(ds, '-', '') AS int) = {{ ds_nodash }}", "0 day"),
        ("ds = '{{ ds }}' AND 1 = 1 AND type = 3", "0 day"),
        ("ds <=> '{{ ds }}'", "0 day"),
        ("NOT ds <> '{{ ds }}'", "0 day"),
        ("if(true, ds = '{{ ds }}', false)", "0 day"),
        ("ds = '{{ prev_ds }}'", "-1 day"),
        ("ds = date_sub('{{ ds }}', 1)", "-1 day"),
        ("ds = date_add('{{ ds }}', -1)", "-1 day"),
        ("ds = date '{{ ds }}' - interval 1 day", "-1 day"),
        ("ds = date '{{ ds }}' - 1", "-1 day"),
        ("date_add(ds, 1) = '{{ ds }}'", "-1 day"),
        ("datediff('{{ ds }}', ds) = 1", "-1 day"),
        ("ds = date_format(date_sub('{{ ds }}', 1), 'yyyy-MM-dd')", "-1 day"),
        ("ds = from_unixtime(unix_timestamp('{{ ds }}', 'yyyy-MM-dd') - 86400, 'yyyy-MM-dd')", "-1 day"),
        ("ds = '{{ next_ds }}'", "1 days"),
        ("ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'", "-6..0 days"),
        ("ds >= '$[yyyy-MM-dd-7]' AND ds <= '{{ ds }}'", "-7..0 days"),
        ("ds > date_sub('{{ ds }}', 7) AND NOT ds > '{{ ds }}'", "-6..0 days"),
        ("datediff('{{ ds }}', ds) BETWEEN 0 AND 6", "-6..0 days"),
        ("ds IN ('{{ ds }}', '$[yyyy-MM-dd-1]')", "-1..0 days"),
        ("ds IN ('{{ ds }}', '$[yyyy-MM-dd-7]')", "-7 days, 0 day"),
        ("ds = '{{ ds }}' OR ds = '{{ prev_ds }}'", "-1..0 days"),
        ("(ds, type) IN (('{{ ds }}', 1), ('{{ prev_ds }}', 2))", "-1..0 days"),
        ("ds BETWEEN '{{ month_start }}' AND '{{ ds }}'", "0 from the month .. 0 from the start, in days"),
        ("ds >= trunc('{{ ds }}', 'MM') AND ds <= '{{ ds }}'",
         "0 from the month .. 0 from the start, in days"),
    ],
)  # fmt: skip
def test_a_filter_on_the_partition_column_is_a_rule(condition: str, rule: str) -> None:
    assert upstreams(f"SELECT id FROM ods.account WHERE {condition}") == [f"ods.account: {rule}"]


@pytest.mark.parametrize(
    ("grain", "sql", "rule"),
    [
        ("day", "ods.click WHERE ds = '{{ ds }}'", "ods.click: 0 day"),
        ("day", "ods.click WHERE ds = '{{ ds }}' AND hr = '08'", "ods.click: 8 hours"),
        ("day", "ods.click WHERE ds = '{{ ds }}' AND cast(hr AS int) < 3", "ods.click: 0..2 hours"),
        ("day", "ods.click WHERE concat(ds, ' ', hr) BETWEEN '{{ prev_ds }} 08' AND '{{ ds }} 07'",
         "ods.click: -16..7 hours"),
        ("day", "ods.click WHERE ds = '{{ prev_ds }}' AND hr >= '08' OR ds = '{{ ds }}' AND hr < '08'",
         "ods.click: -16..7 hours"),
        ("day", "ods.goal WHERE ds = '{{ month }}'", "ods.goal: 0 month"),
        ("day", "ods.goal WHERE ds = '{{ prev_month }}'", "ods.goal: -1 month"),
        ("day", "ods.old WHERE dt = '{{ ds_nodash }}'", "ods.old: 0 day"),
        ("day", "ods.old WHERE dt = date_format(date_sub('{{ ds }}', 1), 'yyyyMMdd')", "ods.old: -1 day"),
        ("hour", "ods.account WHERE ds = '{{ ds }}'", "ods.account: 0 day"),
        ("hour", "ods.account WHERE ds = '{{ prev_ds }}'", "ods.account: -1 day"),
        ("hour", "ods.click WHERE ds = '{{ ds }}' AND hr = '{{ hour }}'", "ods.click: 0 hour"),
        ("hour", "ods.click WHERE ds = '{{ prev_hour_ds }}' AND hr = '{{ prev_hour }}'",
         "ods.click: -1 hour"),
        ("hour", "ods.click WHERE ds = '{{ ds }}'", "ods.click: 0 day"),
        ("hour", "ods.click WHERE ds = '{{ ds }}' AND hr <= '{{ hour }}'",
         "ods.click: 0 from the day .. 0 from the start, in hours"),
        ("month", "ods.account WHERE ds LIKE '{{ month }}%'", "ods.account: 0 month"),
        ("month", "ods.account WHERE ds BETWEEN '{{ month_start }}' AND '{{ month_end }}'",
         "ods.account: 0 month"),
        ("month", "ods.account WHERE substr(ds, 1, 7) = '{{ month }}'", "ods.account: 0 month"),
        ("month", "ods.account WHERE left(ds, 7) IN ('{{ month }}', '{{ prev_month }}')",
         "ods.account: -1..0 months"),
        ("month", "ods.account WHERE ds = '{{ month_end }}'", "ods.account: 0 day from the end"),
        ("month", "ods.account WHERE ds = last_day('{{ ds }}')", "ods.account: 0 day from the end"),
        ("month", "ods.account WHERE ds = '{{ ds }}'", "ods.account: 0 day"),
        ("day", "ods.account WHERE ds BETWEEN '{{ month_start }}' AND '{{ month_end }}'",
         "ods.account: 0 month"),
        ("month", "ods.account WHERE ds BETWEEN date_sub('{{ month_start }}', 7) AND '{{ month_end }}'",
         "ods.account: -7 from the start .. 0 from the end, in days"),
        ("month", "ods.click WHERE ds LIKE '{{ month }}-%'", "ods.click: 0 month"),
        ("month", "ods.goal WHERE ds = '{{ month }}'", "ods.goal: 0 month"),
    ],
)  # fmt: skip
def test_grains_may_differ(grain: str, sql: str, rule: str) -> None:
    assert upstreams(f"SELECT 1 AS one FROM {sql}", grain) == [rule]


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        (("SELECT a.id FROM ods.account a JOIN ods.money m ON m.account_id = a.id AND m.ds = '{{ ds }}'"
         " WHERE a.ds = '{{ ds }}'"), ["ods.account: 0 day", "ods.money: 0 day"]),
        ("SELECT a.id FROM ods.account a, ods.money m WHERE a.ds = m.ds AND m.ds = '{{ ds }}'",
         ["ods.account: 0 day", "ods.money: 0 day"]),
        (("SELECT id FROM ods.account JOIN ods.old USING (id) WHERE ds = '{{ ds }}' AND dt = '{{"
         " ds_nodash }}'"),
         ["ods.account: 0 day", "ods.old: 0 day"]),
        ("SELECT a.id FROM ods.account a JOIN ods.money m USING (id, ds) WHERE a.ds = '{{ prev_ds }}'",
         ["ods.account: -1 day", "ods.money: -1 day"]),
        (("SELECT a.id FROM ods.account a LEFT JOIN ods.money m ON m.ds = date_sub(a.ds, 1)"
         " WHERE a.ds = '{{ ds }}'"), ["ods.account: 0 day", "ods.money: -1 day"]),
        (("SELECT a.id FROM ods.account a JOIN ods.account b ON a.id = b.id AND b.ds = '{{ prev_ds }}'"
         " WHERE a.ds = '{{ ds }}'"), ["ods.account: -1..0 days"]),
        (("WITH a AS (SELECT * FROM ods.account), b AS (SELECT ds AS d, id FROM a)"
         " SELECT id FROM b WHERE d = '{{ ds }}'"), ["ods.account: 0 day"]),
        (("WITH a AS (SELECT ds, id, count(*) AS n FROM ods.money GROUP BY ds, id)"
         " SELECT t.id FROM a t LEFT JOIN a y ON t.id = y.id AND y.ds = '{{ prev_ds }}' WHERE t.ds"
          " = '{{ ds }}'"),
         ["ods.money: -1..0 days"]),
        (("SELECT id FROM (SELECT ds, id FROM ods.account UNION ALL SELECT ds, id FROM ods.money) u"
         " WHERE ds = '{{ ds }}'"), ["ods.account: 0 day", "ods.money: 0 day"]),
        (("SELECT id FROM ods.account WHERE ds = '{{ ds }}' UNION SELECT id FROM ods.money WHERE ds"
         " = '{{ prev_ds }}'"),
         ["ods.account: 0 day", "ods.money: -1 day"]),
        (("SELECT id FROM (SELECT id, ds, row_number() OVER (PARTITION BY ds ORDER BY id) AS n FROM"
         " ods.money) m"
         " WHERE ds = '{{ ds }}' AND n = 1"), ["ods.money: 0 day"]),
        (("SELECT id FROM ods.account a WHERE ds = '{{ ds }}' AND EXISTS"
         " (SELECT 1 FROM ods.money m WHERE m.ds = a.ds AND m.account_id = a.id)"),
         ["ods.account: 0 day", "ods.money: 0 day"]),
        (("SELECT id FROM ods.account WHERE ds = '{{ ds }}' AND id IN"
         " (SELECT account_id FROM ods.money WHERE ds = '{{ prev_ds }}')"),
         ["ods.account: 0 day", "ods.money: -1 day"]),
        (("SELECT a.id FROM ods.account a LEFT ANTI JOIN ods.money m ON m.ds = '{{ ds }}' WHERE a.ds"
         " = '{{ ds }}'"),
         ["ods.account: 0 day", "ods.money: 0 day"]),
        (("SELECT a.id, u FROM ods.account a LATERAL VIEW explode(split(a.name, ',')) t AS u"
         " WHERE a.ds = '{{ ds }}'"), ["ods.account: 0 day"]),
        ("SELECT c.city FROM ods.account a JOIN legacy.city c ON c.id = a.id WHERE a.ds = '{{ ds }}'",
         ["legacy.city: whole", "ods.account: 0 day"]),
        ("FROM ods.account SELECT id WHERE DS = '{{ ds }}'", ["ods.account: 0 day"]),
        ("SELECT `A`.`ID` FROM `ODS`.`Account` `A` WHERE a.Ds = '{{ ds }}'", ["ods.account: 0 day"]),
        ("SELECT /*+ BROADCAST(a) */ id FROM ods.account a WHERE ds = '{{ ds }}' -- it's a comment",
         ["ods.account: 0 day"]),
        (("SELECT id FROM ods.account WHERE {% if ds < '2026-04-01' %}ds{% else %}to_date(ds){% endif %}"
         " = '{{ ds }}'"), ["ods.account: 0 day"]),
        ("SELECT 1 AS one, '{{ ds }}' AS day", []),
        ("SELECT city FROM legacy.city", ["legacy.city: whole"]),
        ("SELECT x.money FROM dw.x x WHERE x.ds = '{{ prev_ds }}'", ["dw.x: -1 day"]),
    ],
)  # fmt: skip
def test_a_filter_reaches_a_table_through_whatever_lies_between(sql: str, rules: list[str]) -> None:
    assert upstreams(sql) == rules


UNFILTERED = "or say in config/dw/x.yaml `reads: {ods.account: all_partitions}`"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT id FROM ods.account",
         (f"ods.account is read without a filter on ds; filter it, {UNFILTERED}\n"
         "  SELECT id FROM ods.account\n"
         "                 ^")),
        ("SELECT a.id FROM ods.account a LEFT JOIN ods.money m ON a.ds = '{{ ds }}' AND m.ds = '{{ ds }}'",
         (f"ods.account (a) is read without a filter on ds; filter it, {UNFILTERED}\n"
         "  SELECT a.id FROM ods.account a LEFT JOIN ods.money m ON a.ds = '{{ ds }}' AND m.ds = '{{ ds }}'\n"
         "                   ^")),
        (("SELECT id FROM (SELECT id, ds, rank() OVER (PARTITION BY id ORDER BY ds) AS n\n"
         "FROM ods.account) t WHERE ds = '{{ ds }}'"),
         (f"ods.account is read without a filter on ds; filter it, {UNFILTERED}\n"
         "  FROM ods.account) t WHERE ds = '{{ ds }}'\n"
         "       ^")),
        ("SELECT id FROM (SELECT id, ds FROM ods.account LIMIT 5) t WHERE ds = '{{ ds }}'",
         (f"ods.account is read without a filter on ds; filter it, {UNFILTERED}\n"
         "  SELECT id FROM (SELECT id, ds FROM ods.account LIMIT 5) t WHERE ds = '{{ ds }}'\n"
         "                                     ^")),
        ("SELECT id FROM ods.account WHERE ds = current_date()",
         (f"ods.account is read without a filter on ds; filter it, {UNFILTERED}\n"
         "  SELECT id FROM ods.account WHERE ds = current_date()\n"
         "                 ^")),
        ("SELECT id FROM ods.account WHERE ds <= '{{ ds }}'",
         ("the filter on ds of ods.account has no beginning or no end; bound it, "
         f"{UNFILTERED}\n"
         "  SELECT id FROM ods.account WHERE ds <= '{{ ds }}'\n"
         "                 ^")),
        ("SELECT id FROM ods.account WHERE ds = '{{ ds_nodash }}'",
         ("the filter on ds of ods.account lets no partition through for 2026-03-18; its partitions are"
         " written ds = '2026-03-18'\n"
         "  SELECT id FROM ods.account WHERE ds = '{{ ds_nodash }}'\n"
         "                 ^")),
        ("SELECT account_id FROM ods.click WHERE ds = '{{ ds }}' AND hr = 'x'",
         ("the filter on ds and hr of ods.click lets no partition through for 2026-03-18; its partitions are"
         " written ds = '2026-03-18', hr = '00'\n"
         "  SELECT account_id FROM ods.click WHERE ds = '{{ ds }}' AND hr = 'x'\n"
         "                         ^")),
        ("SELECT id FROM ods.account WHERE ds = '2026-01-01'",
         ("which partitions of ods.account are read follows no rule (2026-03-18 reads 2026-01-01; 2026-05-01"
         " reads 2026-01-01; 2028-02-29 reads 2026-01-01); state it in config/dw/x.yaml:"
         " `upstreams: {ods.account: -6..0}`\n"
         "  SELECT id FROM ods.account WHERE ds = '2026-01-01'\n"
         "                 ^")),
        ("SELECT id FROM ods.account WHERE ds BETWEEN add_months('{{ ds }}', -1) AND '{{ ds }}'",
         ("which partitions of ods.account are read follows no rule (2026-03-18 reads 2026-02-18 .."
          " 2026-03-18;"
         " 2026-05-01 reads 2026-04-01 .. 2026-05-01; 2028-02-29 reads 2028-01-29 .. 2028-02-29); state it in"
         " config/dw/x.yaml: `upstreams: {ods.account: -6..0}`\n"
         "  SELECT id FROM ods.account WHERE ds BETWEEN add_months('{{ ds }}', -1) AND '{{ ds }}'\n"
         "                 ^")),
        ("SELECT money FROM dw.x WHERE ds = '{{ ds }}'",
         ("a model may read earlier partitions of itself, not the one that it makes or later ones\n"
         "  SELECT money FROM dw.x WHERE ds = '{{ ds }}'\n"
         "                    ^")),
    ],
)  # fmt: skip
def test_a_read_that_cannot_be_waited_for_is_a_problem_with_its_remedy(sql: str, message: str) -> None:
    line = sql[: sql.rindex("ods.account") if "ods.account" in sql else 0].count("\n") + 1

    assert messages(analyse(sql)) == [f"config/dw/x.sql:{line} {message}"]


def test_what_the_yaml_states_stands_for_what_the_sql_does_not_say() -> None:
    sql = "SELECT id FROM ods.account WHERE ds >= '2026-01-01'"

    assert upstreams(sql, reads="all_partitions") == ["ods.account: all partitions"]
    assert upstreams(sql, reads={"ods.account": "latest"}) == ["ods.account: latest"]
    assert upstreams(sql, reads={"ODS.Account": "same"}) == ["ods.account: 0 day"]
    assert upstreams(sql, reads="same") == ["ods.account: 0 day"]
    assert upstreams(sql, upstreams={"ods.account": "-7..0"}) == ["ods.account: -7..0 days"]
    stated = {"ods.account": {"partitions": 0, "unit": "day", "counted_from": "end"}}
    assert upstreams(sql, "month", upstreams=stated) == ["ods.account: 0 day from the end"]


def test_one_word_for_all_upstreams_leaves_those_alone_whose_filter_says_more() -> None:
    sql = "SELECT a.id FROM ods.account a JOIN ods.money m ON a.id = m.account_id WHERE m.ds = '{{ ds }}'"

    assert upstreams(sql, reads="all_partitions") == ["ods.account: all partitions", "ods.money: 0 day"]


def test_a_statement_that_agrees_with_the_sql_is_kept_and_one_that_does_not_is_a_problem() -> None:
    sql = "SELECT id FROM ods.account WHERE ds BETWEEN '{{ prev_ds }}' AND '{{ ds }}'"

    assert upstreams(sql, upstreams={"ods.account": "-1..0"}) == ["ods.account: -1..0 days"]
    assert messages(analyse(sql, upstreams={"ods.account": "-7..0"})) == [
        (
            "config/dw/x.yaml:1 upstreams.ods.account: says -7..0 days, and the SQL reads -1..0 days:"
            " leave it out, or correct one of them"
        )
    ]


def test_a_statement_about_a_table_that_is_not_read_is_a_problem() -> None:
    sql = "SELECT id FROM ods.account WHERE ds = '{{ ds }}'"
    keys = {"reads": {"ods.acount": "latest"}, "upstreams": {"legacy.city": 0}}

    assert messages(analyse(sql, **keys)) == [
        (
            "config/dw/x.yaml:1 reads.ods.acount: 'ods.acount' is no table with partitions that the"
            " SQL reads;"
            " did you mean 'ods.account'?"
        ),
        (
            "config/dw/x.yaml:1 upstreams.legacy.city: 'legacy.city' is no table with partitions that"
            " the SQL reads"
        ),
    ]
