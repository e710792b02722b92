"""SQL comes from the partition alone, and every mistake in it is shown where it stands in the file."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SelectionError, SpecError
from dataplat.plan.models.render import render_model, render_sql, template_values
from dataplat_tests.unit.plan.models.builders import model

SHANGHAI = ZoneInfo("Asia/Shanghai")
LOOPED = """\
SELECT a,
{%- for c in ['x','y'] %}
  sum({{ c }}) AS {{ c }},
{%- endfor %}
  1 AS one
{# a comment
   of two lines #}FROM ods.a WHERE ds > '$[yyyy-MM-dd-7]' AND {{ ds }} = last
"""


def excerpt(message: str) -> str:
    return message.split("\n", 1)[1]


@pytest.mark.parametrize(
    ("sql", "key", "grain", "rendered"),
    [
        ("'{{ ds }}' {{ ds_nodash }} {{ month }}", "2026-01-09", "day", "'2026-01-09' 20260109 2026-01"),
        ("{{ prev_ds }} {{ next_ds }}", "2028-02-29", "day", "2028-02-28 2028-03-01"),
        ("{{ month_start }} {{ month_end }}", "2028-02-09", "day", "2028-02-01 2028-02-29"),
        ("{{ prev_month }} {{ next_month }}", "2026-12-31", "day", "2026-11 2027-01"),
        ("{{ ds }} {{ hour }}", "2026-01-09-05:00", "hour", "2026-01-09 05"),
        ("{{ prev_hour_ds }} {{ prev_hour }}", "2026-01-01-00:00", "hour", "2025-12-31 23"),
        ("{{ next_hour_ds }} {{ next_hour }}", "2026-01-01-23:00", "hour", "2026-01-02 00"),
        ("{{ ds }} {{ month_end }} {{ partition }}", "2026-02", "month", "2026-02-01 2026-02-28 2026-02"),
        ("{{ table }} {{ grain }}", "2026-01-09", "day", "dw.x day"),
        ("{{ partition_values.ds }}-{{ partition_values.hr }}", "2026-01-09-05:00", "hour", "2026-01-09-05"),
        ("$[yyyyMMdd-7] $[yyyy-MM-dd HH:00:00-1_H]", "2026-01-01", "day", "20251225 2025-12-31 23:00:00"),
        ("$[yyyyMM-1_M] {{ '$[yyyy]' }}", "2026-01", "month", "202512 2026"),
        ("{% if ds > '2026-01-01' %}new{% else %}old{% endif %}", "2026-01-09", "day", "new"),
    ],
)
def test_every_variable_and_date_comes_from_the_partition(
    sql: str, key: str, grain: str, rendered: str
) -> None:
    assert render_model(model(sql, grain=grain), key, SHANGHAI) == rendered


def test_a_partition_value_is_written_as_the_table_writes_it() -> None:
    spec = model("{{ partition_values.dt }}", partition={"column": "dt", "format": "yyyyMMdd"})

    assert render_model(spec, "2026-01-09", SHANGHAI) == "20260109"


def test_elapsed_hours_of_a_date_expression_count_in_the_zone() -> None:
    spec = model("$[yyyy-MM-dd HH:00-1_H]", grain="hour")
    new_york = ZoneInfo("America/New_York")

    assert render_model(spec, "2026-03-08-03:00", new_york) == "2026-03-08 01:00"
    with pytest.raises(SelectionError):
        render_model(spec, "2026-03-08-02:00", new_york)


@given(st.dates(date(2000, 1, 2), date(2100, 1, 1)))
def test_the_days_around_a_day_are_its_neighbours(day: date) -> None:
    values = template_values(model(""), day.isoformat())

    assert values["prev_ds"] == (day - timedelta(days=1)).isoformat()
    assert values["next_ds"] == (day + timedelta(days=1)).isoformat()
    assert str(values["month_start"]) <= day.isoformat() <= str(values["month_end"])
    assert str(values["month_start"])[:7] == values["month"] == str(values["month_end"])[:7]


@pytest.mark.parametrize(
    ("sql", "grain", "message"),
    [
        (
            "SELECT {{ dss }}\nFROM x WHERE a = {{ prev_dss }} OR {{ dss }}",
            "day",
            (
                "config: 2 problems in 1 file\n"
                "  config/dw/x.sql:1   there is no variable 'dss'; did you mean 'ds'?\n"
                "                        SELECT {{ dss }}\n"
                "                                  ^\n"
                "  config/dw/x.sql:2   there is no variable 'prev_dss'; did you mean 'prev_ds'?\n"
                "                        FROM x WHERE a = {{ prev_dss }} OR {{ dss }}\n"
                "                                            ^\n"
            ),
        ),
        (
            "{% if ds == 'x' %}\n{{ qq }}\n{% endif %}",
            "month",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:2   there is no variable 'qq'; known are ds, ds_nodash, grain, month,"
                " month_end, month_start, next_ds, next_month, partition, partition_values, prev_ds,"
                " prev_month, table\n"
                "                        {{ qq }}\n"
                "                           ^\n"
            ),
        ),
        (
            "SELECT '{{ hour }}'",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:1   there is no variable 'hour': only hourly models have an hour\n"
                "                        SELECT '{{ hour }}'\n"
                "                                   ^\n"
            ),
        ),
        (
            "SELECT\n  {{ ds }",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:2   the template cannot be read: unexpected '}'\n"
                "                          {{ ds }\n"
                "                          ^\n"
            ),
        ),
        (
            "SELECT\n{{ partition_values.dt }}",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:2   the template fails: 'dict object' has no attribute 'dt'\n"
                "                        {{ partition_values.dt }}\n"
                "                        ^\n"
            ),
        ),
        (
            "SELECT 1\n{% include 'secrets.sql' %}",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:2   the template fails: no loader for this environment specified\n"
                "                        {% include 'secrets.sql' %}\n"
                "                        ^\n"
            ),
        ),
        (
            "SELECT {{ ds.__class__ }}",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:1   the template fails: access to attribute '__class__' of 'str' object is"
                " unsafe.\n"
                "                        SELECT {{ ds.__class__ }}\n"
                "                        ^\n"
            ),
        ),
        (
            "SELECT {{ ds }},\n  '$[yyyy-MM-DD]'",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:2   date expression $[yyyy-MM-DD] cannot be read: 'DD' is no date token;"
                " did you mean 'dd'? (character 11)\n"
                "                          '$[yyyy-MM-DD]'\n"
                "                           ^\n"
            ),
        ),
        (
            "SELECT '$[yyyy]', '${env:PASSWORD}'",
            "day",
            (
                "config: 1 problem in 1 file\n"
                "  config/dw/x.sql:1   '${' begins a variable of Spark, which would fill it in; a model's"
                " variables are {{ … }}\n"
                "                        SELECT '$[yyyy]', '${env:PASSWORD}'\n"
                "                                           ^\n"
            ),
        ),
    ],
)
def test_a_mistake_in_a_template_is_shown_where_it_stands(sql: str, grain: str, message: str) -> None:
    key = {"day": "2026-01-09", "month": "2026-01"}[grain]
    with pytest.raises(SpecError) as caught:
        render_model(model(sql, grain=grain), key, SHANGHAI)

    assert str(caught.value) == (
        message + "  effect              nothing was run\n  next                dataplat check"
    )


@pytest.mark.parametrize(
    ("word", "line", "shown"),
    [
        ("SELECT", 1, "  SELECT a,\n  ^"),
        ("sum(y)", 3, "    sum({{ c }}) AS {{ c }},\n    ^"),
        ("x,", 3, "    sum({{ c }}) AS {{ c }},\n                    ^"),
        ("one", 5, "    1 AS one\n         ^"),
        (
            "last",
            7,
            (
                "     of two lines #}FROM ods.a WHERE ds > '$[yyyy-MM-dd-7]' AND {{ ds }} = last\n"
                "                                                                           ^"
            ),
        ),
    ],
)
def test_a_place_in_rendered_sql_leads_back_to_its_line_and_column(word: str, line: int, shown: str) -> None:
    rendered = render_sql(model(LOOPED), "2026-01-09")
    problem = rendered.problem(rendered.text.index(word), "here")

    assert (problem.file, problem.line, problem.excerpt) == ("config/dw/x.sql", line, shown)


def test_a_template_that_looks_at_its_own_text_still_leads_to_the_line() -> None:
    spec = model("{% set a %}x{% endset %}SELECT\n  {% if a == 'x' %}{{ ds }} oops{% endif %}")
    rendered = render_sql(spec, "2026-01-09")
    problem = rendered.problem(rendered.text.index("oops"), "here")

    assert rendered.text == "SELECT\n  2026-01-09 oops"
    assert problem.line == 2


def test_a_long_line_is_shown_around_the_place() -> None:
    rendered = render_sql(model("SELECT " + "a, " * 100 + "bad, " + "c, " * 100), "2026-01-09")
    problem = rendered.problem(rendered.text.index("bad"), "here")
    line, caret = problem.excerpt.split("\n")

    assert len(line) == 102
    assert line[caret.index("^") :].startswith("bad")


@given(
    st.lists(
        st.sampled_from(
            ["a ", "\n", "{{ ds }}", "$[yyyyMMdd]", "{# c\n #}", "\t", "é", "{% if 1 %}b{% endif %}"]
        )
    )
)
def test_what_is_copied_stands_in_the_file_where_the_place_says(parts: list[str]) -> None:
    template = "".join(parts) + "HERE" + "".join(parts)
    rendered = render_sql(model(template), "2026-01-09")
    problem = rendered.problem(rendered.text.index("HERE"), "")
    line, caret = problem.excerpt.split("\n")

    assert template.split("\n")[problem.line - 1].count("HERE") == 1
    if len(template) <= 100:
        assert line[caret.index("^") :].startswith("HERE")
