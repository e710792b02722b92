"""``audits/*.yaml``: what is valid, and every problem as file:line (A31, A39 to A42)."""

import pytest

from dataplat_tests.unit.specs.folder import Config

AUDIT = "audits/nightly.yaml"
TEXT = r"""
defaults: {python_concurrency: 2, threads: 5}
limits: {max_python_concurrency: 4, max_jar_threads: 8, max_effective_parallelism: 16}
loop_variables:
  hour: {type: range, start: 0, end: 23, pad: 2}
  province: {type: enum, values: [gd, 44, "031"]}
  folder: {type: computed, value: "${province}", lookup: {gd: guangdong}}
schedules:
  - task_name: logs_${province}
    interface_id: 17
    platform_id: p1
    period_type: daily
    loop_var: province&hour
    tables:
      - name: logs
        hdfs_path: ${WAREHOUSE:-/warehouse}/${folder}/logs
        partition_template: ds=${data_date}/hr=${hour}
        format: textfile
        delimiter: \001
        threads: 3
        expect: {history: {drop: 30%}}
  - task_name: market
    tables:
      - {name: money, hdfs_path: "/w/money/${data_date}", format: orc, expect: none}
      - name: orders
        hdfs_path: /w/orders
        format: parquet
        expect:
          sql: {source: market, query: "SELECT count(*) FROM t WHERE d = '${data_date}'"}
          tolerance: 1%
      - {name: copy, hdfs_path: /w/copy, format: avro, expect: {path: /w/orders, severity: warn}}
      - {name: twin, hdfs_path: /w/twin, format: avro, expect: {table: orders}}
      - {name: ours, hdfs_path: /w/ours, format: avro, expect: {ledger: ods.ods_t_money_record}}
"""


@pytest.fixture
def audits(config: Config) -> Config:
    config.write(AUDIT, TEXT)
    return config


def test_the_fields_of_the_old_configuration_are_read_under_their_names_a39(audits: Config) -> None:
    audit = audits.load().audits["nightly"]
    logs, market = audit.schedules
    assert (logs.task_name, logs.interface_id, logs.platform_id, logs.partner_id) == (
        *("logs_${province}", "17", "p1", ""),
    )
    (table,) = logs.tables
    assert table.hdfs_path == "/warehouse/${folder}/logs", "the environment is filled in, templates are not"
    assert (table.partition_template, table.format, table.delimiter, table.threads) == (
        *("ds=${data_date}/hr=${hour}", "textfile", "\\001", 3),
    )
    assert (market.period_type, market.tables[0].delimiter, market.tables[0].threads) == (None, "\\n", None)
    assert market.tables[0].partition_template is None


def test_limits_and_defaults_are_read_and_the_defaults_are_the_old_ones_a31(audits: Config) -> None:
    audit = audits.load().audits["nightly"]
    assert (audit.defaults.python_concurrency, audit.defaults.threads) == (2, 5)
    assert audit.limits.max_effective_parallelism == 16
    audits.replace(AUDIT, "defaults: {python_concurrency: 2, threads: 5}\n", "")
    defaults = audits.load().audits["nightly"].defaults
    assert (defaults.python_concurrency, defaults.threads) == (1, 10)


def test_expectations_are_one_of_five_or_none_a52(audits: Config) -> None:
    tables = {t.name: t for s in audits.load().audits["nightly"].schedules for t in s.tables}
    assert tables["money"].expect is None
    ways = {name: list(table.expect.ways()) for name, table in tables.items() if table.expect}
    assert ways == {
        "logs": ["history"],
        "orders": ["sql"],
        "copy": ["path"],
        "twin": ["table"],
        "ours": ["ledger"],
    }
    copy = tables["copy"].expect
    assert copy is not None
    assert copy.path is not None
    assert (copy.path.path, copy.severity, copy.tolerance) == ("/w/orders", "warn", 0.0)
    assert tables["orders"].expect is not None
    assert tables["orders"].expect.tolerance == 0.01


def test_a_catalog_says_how_many_audits_it_has(audits: Config) -> None:
    assert repr(audits.load()).endswith("2 tables, 1 audit)")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("schedules:\n", "schedule:\n", ":8  schedule: unknown key; did you mean 'schedules'?"),
        (
            "  - task_name: market\n",
            "  - platform_id: x\n",
            ":22  schedules[1].task_name: is required, and missing",
        ),
        (
            "    tables:\n      - name: logs\n",
            "    tables:\n      - nam: logs\n",
            ":15  schedules[0].tables[0].nam: unknown key; did you mean 'name'?",
        ),
        (
            "format: orc,",
            "format: csv,",
            (
                ":24  schedules[1].tables[0].format: 'csv' is unknown; allowed: "
                "orc, parquet, textfile, avro, sequencefile"
            ),
        ),
        (", format: orc", "", ":24  schedules[1].tables[0].format: is required, and missing"),
        (
            r"delimiter: \001",
            r"delimiter: \q",
            (
                r":19  schedules[0].tables[0].delimiter: expected characters, or "
                r"\n \r \t \0 \\ \001 (octal) \x01 \u0001, found '\q'"
            ),
        ),
        (
            "loop_var: province&hour",
            "loop_var: provinc&hour",
            ":13  schedules[0].loop_var: there is no loop variable 'provinc'; did you mean 'province'?",
        ),
        (
            "loop_var: province&hour",
            "loop_var: hour&hour&province",
            ":13  schedules[0].loop_var: names one loop variable twice",
        ),
        (
            "loop_var: province&hour",
            "loop_var: province&hour&folder",
            ":13  schedules[0].loop_var: 'folder' is computed: it follows from others by itself",
        ),
        (
            "hr=${hour}",
            "hr=05",
            (
                ":13  schedules[0].loop_var: multiplies the schedule by 'hour', which is nowhere in it: "
                "the jobs would be equal"
            ),
        ),
        (
            "ds=${data_date}",
            "ds=${data_dat}",
            (
                ":17  schedules[0].tables[0].partition_template: ${data_dat} is not "
                "known; did you mean 'data_date'?"
            ),
        ),
        (
            "  hour: {type: range,",
            "  data_hour: {type: range,",
            ":5  loop_variables.data_hour: data_hour is filled in from the date, so it cannot be a loop",
        ),
        ("end: 23", "end: -1", ":5  loop_variables.hour: expected 1 to 10,000 numbers, found 0"),
        (
            "type: range",
            "type: rang",
            ":5  loop_variables.hour: expected a type: range, enum or computed, found a mapping",
        ),
        ('[gd, 44, "031"]', "[gd, gd]", ":6  loop_variables.province: 'gd' is given twice"),
        (
            'value: "${province}"',
            'value: "${provinz}"',
            (
                ":7  loop_variables.folder.value: ${provinz} is no loop variable of "
                "values; did you mean 'province'?"
            ),
        ),
        (
            "source: market,",
            "source: markt,",
            (
                ":29  schedules[1].tables[1].expect.sql.source: there is no source "
                "'markt'; did you mean 'market'?"
            ),
        ),
        (
            "{table: orders}",
            "{table: order}",
            (
                ":32  schedules[1].tables[3].expect.table: there is no audited table "
                "'order'; did you mean 'orders'?"
            ),
        ),
        (
            "ods.ods_t_money_record",
            "ods.nope",
            ":33  schedules[1].tables[4].expect.ledger: there is no table 'ods.nope'",
        ),
        (
            "{path: /w/orders, severity: warn}",
            "{severity: warn}",
            (
                ":31  schedules[1].tables[2].expect: expected one of sql, path, table, "
                "history, ledger, found none"
            ),
        ),
        (
            "{table: orders}",
            "{table: orders, path: /w}",
            (
                ":32  schedules[1].tables[3].expect: expected one of sql, path, table, history, ledger, "
                "found path, table"
            ),
        ),
        (
            "{history: {drop: 30%}}",
            "{history: {against: 3}}",
            ":21  schedules[0].tables[0].expect.history: history needs drop or rise, or it allows everything",
        ),
        (
            "{history: {drop: 30%}}",
            "{history: {drop: 30%}, tolerance: 1%}",
            ":21  schedules[0].tables[0].expect: history has drop and rise; tolerance is for the other ways",
        ),
        (
            "expect: none",
            "expect: all",
            (
                ":24  schedules[1].tables[0].expect: expected one of sql, path, table, "
                "history, ledger with its "
                "details, found 'all'"
            ),
        ),
        (
            "{name: twin,",
            "{name: copy,",
            (
                ":32  schedules[1].tables[3].name: copy of task market is audited already, at "
                "config/audits/nightly.yaml:31 schedules[1].tables[2].name"
            ),
        ),
    ],
)
def test_every_problem_is_a_line_a40(audits: Config, old: str, new: str, problem: str) -> None:
    audits.replace(AUDIT, old, new)
    assert f"config/{AUDIT}{problem}" in audits.problems()


def test_a_lower_case_variable_of_the_environment_is_none_here(audits: Config) -> None:
    audits.replace(AUDIT, "/w/copy", '"/w/${copies}"')
    (problem,) = audits.problems({"copies": "x"})
    assert problem.startswith(
        f"config/{AUDIT}:31  schedules[1].tables[2].hdfs_path: ${{copies}} is not known"
    )


def test_other_files_have_no_template_variables(audits: Config) -> None:
    audits.replace("ods/ods_t_money_record.yaml", "team:warehouse", "team:${data_date}")
    assert any("environment variable data_date is not set" in problem for problem in audits.problems())


NATIVE = "ClickHouse's native protocol; expected the HTTP port, 8123 or with TLS 8443"
REMEDY = "write ${NAME} for an environment variable or {secret: path} for the secret store"
WHY = "it says how much time a partition holds"
MONEY = "config/ods/ods_t_money_record.yaml:2: it is counted before it is visible"
TASKS = """
tasks:
  hosts: [ch1, ch2]
  password: ${CLICKHOUSE_PASSWORD}
  query_template: SELECT task_name FROM t
results: {connect: "mysql+pymysql://u:${MYSQL_PASSWORD}@h/data_audit"}
"""


def test_task_lists_and_results_are_read_and_passwords_stay_references_a43(audits: Config) -> None:
    audits.add(AUDIT, TASKS)
    catalog = audits.load({"CLICKHOUSE_PASSWORD": "geheim", "MYSQL_PASSWORD": "geheim"})
    audit = catalog.audits["nightly"]
    assert audit.tasks is not None
    assert audit.tasks.hosts == ("ch1", "ch2")
    assert "geheim" not in repr(audit)
    missing = [name for name, _ in catalog.missing_secrets({}) if "PASSWORD" in name]
    assert missing[:2] == ["${CLICKHOUSE_PASSWORD}", "${MYSQL_PASSWORD}"]


def test_the_old_defaults_of_the_watermark_a18_a19_a20_a23_a25(audits: Config) -> None:
    audits.add(AUDIT, TASKS)
    tasks = audits.load().audits["nightly"].tasks
    assert tasks is not None
    assert (tasks.watermark_enabled, tasks.watermark_advance_on_failure) == (True, False)
    numbers = (tasks.watermark_overlap_seconds, tasks.watermark_max_window_hours, tasks.hours_lookback)
    assert numbers == (600.0, 24.0, 24.0)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "  hosts: [ch1, ch2]",
            "  port: 9000",
            f"tasks.port: 9000 speaks {NATIVE}",
        ),
        (
            "  hosts: [ch1, ch2]",
            "  hosts: [ch1]\n  host: ch2",
            "tasks: expected one of host, hosts and connect, found host and hosts",
        ),
        (
            "${CLICKHOUSE_PASSWORD}",
            "geheim",
            f"tasks.password: a secret is not written into a file; {REMEDY}",
        ),
        (
            "  hosts: [ch1, ch2]",
            "  hours_lookback: -1",
            "tasks.hours_lookback: expected at least 0, found -1",
        ),
        (
            "  hosts: [ch1, ch2]",
            "  watermark_overlap_seconds: true",
            "tasks.watermark_overlap_seconds: expected a number such as 0.5, found true",
        ),
        ("  query_template: SELECT task_name FROM t\n", "", "tasks.query_template: is required, and missing"),
    ],
)
def test_mistakes_in_task_lists_are_found(audits: Config, old: str, new: str, problem: str) -> None:
    audits.add(AUDIT, TASKS)
    audits.replace(AUDIT, old, new)
    assert [found.split("  ", 1)[1] for found in audits.problems()] == [problem]


COPY = "{name: copy, hdfs_path: /w/copy, format: avro, expect: {path: /w/orders, severity: warn}}"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {COPY: COPY[:-1] + ", external: ext.copy}"},
            f"schedules[1].tables[2].external: needs the period_type of its schedule: {WHY}",
        ),
        (
            {"        threads: 3\n": "        threads: 3\n        external: ods.ods_t_money_record\n"},
            f"schedules[0].tables[0].external: 'ods.ods_t_money_record' is declared in {MONEY}",
        ),
        (
            {
                "        threads: 3\n": "        threads: 3\n        external: ext.a\n",
                "  - task_name: market\n": "  - task_name: market\n    period_type: monthly\n",
                COPY: COPY[:-1] + ", external: ext.A}",
            },
            "schedules[1].tables[2].external: 'ext.A' is counted per month here, and per day above",
        ),
    ],
)
def test_external_tables_of_audits_must_agree(audits: Config, change: dict[str, str], problem: str) -> None:
    for old, new in change.items():
        audits.replace(AUDIT, old, new)
    assert [found.split("  ", 1)[1] for found in audits.problems()] == [problem]


def test_external_tables_of_audits_meet_readiness_other_audits_and_the_platform(audits: Config) -> None:
    audits.replace(AUDIT, "        threads: 3\n", "        threads: 3\n        external: ext.a\n")
    assert audits.load().audited["ext.a"].grain == "day"
    audits.write("readiness/a.yaml", "table: ext.a\nprobes: [{path: '/w/$[yyyyMMdd]/_SUCCESS'}]\n")
    schedule = (
        "{task_name: o, period_type: daily, tables: [{name: o, hdfs_path: /o, format: orc, external: ext.a}]}"
    )
    audits.write("audits/other.yaml", f"schedules: [{schedule}]\n")
    audits.add("platform.yaml", "external: [{table: ext.a, grain: hour}]\n")
    here = "schedules[0].tables[0].external: 'ext.a'"
    twice = f"{here} has a readiness in config/readiness/a.yaml: one of them says when it may be read"
    place = "config/audits/nightly.yaml:21 schedules[0].tables[0].external"
    assert sorted(found.split("  ", 1)[1] for found in audits.problems()) == [
        "grain: 'day', and platform.yaml says hour of this external table",
        twice,
        twice,
        f"{here} is audited already, at {place}",
        f"{here} is counted per day, and platform.yaml says hour",
    ]
