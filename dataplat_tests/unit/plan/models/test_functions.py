"""Functions that are not Spark's are found in the SQL, and those that nobody declared are told."""

from dataplat.plan.models.functions import inspect_functions
from dataplat.plan.models.graph import ModelGraph
from dataplat_tests.unit.plan.models.builders import analyse

FROM = "FROM ods.account a WHERE a.ds = '{{ ds }}'"


def called(sql: str) -> list[str]:
    return [call.name for call in analyse(sql).functions]


def told(sql: str, *known: str) -> list[str]:
    graph = ModelGraph({"dw.x": analyse(sql)})
    return [f"{problem.at} {problem.message}" for problem in inspect_functions(graph, known)]


def test_only_what_spark_does_not_bring_is_found() -> None:
    builtin = "upper(a.name) AS u, to_csv(a.x) AS c, try_cast(a.id AS int) AS t, extract(year FROM a.ds) AS e"
    sql = f"SELECT Parse_IP(a.name) AS p, {builtin}, timestampadd(DAY, 1, a.ds) AS d {FROM}"
    assert called(sql) == ["parse_ip"]


def test_names_of_other_databases_are_no_functions_of_spark() -> None:
    assert called(
        f"SELECT parse_ip(a.name) AS p, md5_digest(a.name) AS m, normalize(a.name) AS n {FROM}"
    ) == [
        "md5_digest",
        "normalize",
        "parse_ip",
    ]


def test_functions_anywhere_in_the_sql_are_found_once() -> None:
    assert called(
        "WITH c AS (SELECT f(a.id) AS id FROM ods.account a WHERE a.ds = '{{ ds }}' AND g(a.type) > 1)"
        " SELECT f(c.id) AS id, count(*) AS n FROM c JOIN ods.money m ON h(m.id) = c.id AND m.ds = '{{ ds }}'"
        " GROUP BY f(c.id)"
    ) == ["f", "g", "h"]


def test_what_a_comment_mentions_is_not_called() -> None:
    assert called(f"SELECT a.id -- parse_ip(x)\n, 'parse_ip(x)' AS t {FROM}") == []


def test_a_branch_of_the_template_that_a_probe_takes_is_looked_at() -> None:
    sql = f"SELECT {{% if ds == month_start %}}f(a.id){{% else %}}a.id{{% endif %}} AS id {FROM}"
    assert called(sql) == ["f"]


def test_a_function_of_a_database_is_the_metastore_s() -> None:
    assert called(f"SELECT dw.f(a.id) AS id {FROM}") == []


def test_a_name_that_nobody_declared_is_told_with_the_nearest() -> None:
    assert told(f"SELECT a.id,\n  parse_pi(a.name) AS p {FROM}", "parse_ip") == [
        (
            "config/dw/x.sql:2 there is no function 'parse_pi'; did you mean 'parse_ip'?\n"
            f"    parse_pi(a.name) AS p {FROM}\n"
            "    ^"
        )
    ]


def test_a_name_near_one_of_spark_is_told_too() -> None:
    (problem,) = told(f"SELECT date_formt(a.ds, 'y') AS y {FROM}")
    assert problem.startswith(
        "config/dw/x.sql:1 there is no function 'date_formt'; did you mean 'date_format'?"
    )


def test_a_name_near_none_says_what_can_be_done() -> None:
    (problem,) = told(f"SELECT qqqqqq(a.id) AS y {FROM}")
    assert problem.splitlines()[0] == (
        "config/dw/x.sql:1 there is no function 'qqqqqq'; declare it as a UDF, or list it in `functions` of"
        " platform.yaml if the engine has it"
    )


def test_a_declared_name_is_no_problem() -> None:
    assert (
        told(f"SELECT parse_ip(a.name) AS p, legacy_md5(a.name) AS m {FROM}", "parse_ip", "legacy_md5") == []
    )
