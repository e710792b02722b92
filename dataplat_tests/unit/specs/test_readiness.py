"""Files in ``readiness/``: what they may say, and what is told of one that is wrong."""

import pytest

from dataplat_tests.unit.specs.folder import Config

FILE = "readiness/job_dw_user.yaml"
GATE = """\
table: logs.job_dw_user
source: market
database: scheduler
probes:
  - sql: "SELECT 1 FROM t_step_log WHERE data_date = '$[yyyyMMdd]' AND step = 0"
  - sql: "SELECT task_stat FROM t_sys_log WHERE task_sign = '$[yyyy-MM-dd]' ORDER BY id DESC"
    newest: {task_stat: 2}
"""


def test_a_readiness_is_named_by_its_file_and_begins_with_the_platform(config: Config) -> None:
    config.write(FILE, GATE)
    catalog = config.load()
    spec = catalog.readiness["job_dw_user"]
    assert (spec.table, spec.start, spec.external_path) == (
        "logs.job_dw_user",
        catalog.platform.start,
        ("external", "logs", "job_dw_user"),
    )
    assert [probe.newest for probe in spec.probes] == [{}, {"task_stat": "2"}]
    assert catalog.readiness_of("LOGS.job_dw_user") is spec


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source: market", "source: markt", "2  source: there is no source 'markt'; did you mean 'market'?"),
        ("source: market\n", "", "1  `sql` is asked at a `source` or at `connect`: exactly one of them"),
        ("newest:", "newst:", "7  probes[1].newst: unknown key; did you mean 'newest'?"),
        (
            "    newest: {task_stat: 2}",
            "    path: /x",
            "6  probes[1]: a probe is one of `sql`, `path` and `url`",
        ),
        (
            "    newest: {task_stat: 2}",
            "    rows: many",
            "7  probes[1].rows: expected a number of rows such as '>= 1', found 'many'",
        ),
        (
            "table: logs.job_dw_user",
            "table: ods.ods_t_money_record",
            (
                "1  table: 'ods.ods_t_money_record' is declared in config/ods/ods_t_money_record.yaml:2:"
                " the ledger knows when it is ready"
            ),
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(config: Config, old: str, new: str, said: str) -> None:
    assert old in GATE
    config.write(FILE, GATE.replace(old, new))
    assert config.problems() == [f"config/{FILE}:{said}"]


def test_a_password_in_the_url_is_refused_and_not_repeated(config: Config) -> None:
    config.write(FILE, GATE.replace("source: market\n", "connect: mysql+pymysql://u:s3cret@h/db\n"))
    said = "a password is not written into a file; write ${NAME} in its place in the URL"
    assert config.problems() == [f"config/{FILE}:2  connect: {said}"]


def test_a_secret_of_a_url_is_missed_before_anything_is_asked(config: Config) -> None:
    config.write(FILE, GATE.replace("source: market\n", "connect: mysql+pymysql://u:${LOG_PASSWORD}@h/db\n"))
    missing = config.load().missing_secrets({"MARKET_PASSWORD": "x", "LOGISTICS_PASSWORD": "x"})
    assert missing == (("${LOG_PASSWORD}", f"config/{FILE}:2 connect"),)


def test_a_model_waits_only_for_what_there_is(config: Config) -> None:
    config.write(FILE, GATE)
    config.write("dw/dw_x.yaml", "table: dw.dw_x\nafter: [job_dw_usr]\n")
    config.write("dw/dw_x.sql", "SELECT 1 AS a\n")
    assert config.problems() == [
        "config/dw/dw_x.yaml:2  after[0]: there is no readiness/job_dw_usr.yaml; did you mean 'job_dw_user'?"
    ]


def test_a_name_is_written_as_the_external_table_is(config: Config) -> None:
    config.add("platform.yaml", "external: [{table: logs.JOB_dw_user, grain: day}]\n")
    config.write(FILE, GATE)
    assert config.problems() == [
        f"config/{FILE}:1  table: 'logs.job_dw_user', and platform.yaml writes it 'logs.JOB_dw_user'"
    ]


def test_a_grain_agrees_with_the_external_table(config: Config) -> None:
    config.add("platform.yaml", "external: [{table: logs.job_dw_user, grain: hour}]\n")
    config.write(FILE, GATE + "grain: day\n")
    assert config.problems() == [
        f"config/{FILE}:8  grain: 'day', and platform.yaml says hour of this external table"
    ]
