"""What an engine refuses is told with the model's file, and with the line where Spark names one."""

from dataplat.errors import QueryRefusedError
from dataplat.lifecycle.refusals import refused_at
from dataplat.plan.models.render import render_sql
from dataplat_tests.unit.plan.models.builders import model

RENDERED = render_sql(
    model("SELECT\n  size(a.name, 2) AS n FROM ods.account a WHERE a.ds = '{{ ds }}'"), "2026-01-09"
)


def refused(line: int, column: int) -> str:
    error = QueryRefusedError("dw.x[2026-01-09]", "Spark refused the work", effect="nothing was published")
    error.line, error.column, error.reason = line, column, "[WRONG] of no use"
    return str(refused_at(error, RENDERED.problem_at))


def test_a_place_in_the_sql_is_the_line_of_the_file_with_a_caret() -> None:
    assert refused(2, 2) == (
        "dw.x[2026-01-09]: Spark refuses the SQL\n"
        "  found      [WRONG] of no use\n"
        "  declared   config/dw/x.sql:2\n"
        "                 size(a.name, 2) AS n FROM ods.account a WHERE a.ds = '{{ ds }}'\n"
        "                 ^\n"
        "  effect     nothing was published"
    )


def test_without_a_place_the_file_alone_is_told() -> None:
    assert refused(0, 0) == (
        "dw.x[2026-01-09]: Spark refuses the SQL\n"
        "  found      [WRONG] of no use\n"
        "  declared   config/dw/x.sql\n"
        "  effect     nothing was published"
    )
