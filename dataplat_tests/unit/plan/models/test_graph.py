"""All models together: who reads whom, in which order, and every problem of every file at once."""

import pickle

import pytest

from dataplat.errors import SpecError
from dataplat.plan.models.fingerprint import graph_fingerprint
from dataplat.plan.models.inspect import inspect_models
from dataplat.plan.models.reading import build_graph
from dataplat_tests.unit.plan.models.builders import catalog, loaded, model

ACCOUNT = loaded("ods.ods_t_account", ["id", "name"])
CLICK = loaded("ods.ods_t_click", ["account_id", "url"], "hour")
DAY = model(
    "SELECT a.id, count(*) AS clicks FROM ods.ods_t_account a JOIN ods.ods_t_click c"
    " ON c.account_id = a.id AND c.ds = a.ds WHERE a.ds = '{{ ds }}' GROUP BY a.id",
    "dw.dw_day",
)
WEEK = model(
    "SELECT d.id, sum(d.clicks) AS clicks, max(y.clicks) AS before FROM dw.dw_day d"
    " LEFT JOIN ads.ads_week y ON y.id = d.id AND y.ds = '{{ prev_ds }}'"
    " JOIN legacy.city c ON c.id = d.id"
    " WHERE d.ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}' GROUP BY d.id",
    "ads.ads_week",
)


def selecting(table: str, *others: str) -> object:
    reads = " JOIN ".join(
        [f"{other} t{n} USING (a, ds)" if n else f"{other} t0" for n, other in enumerate(others)]
    )
    return model(f"SELECT t0.a\nFROM {reads}\nWHERE t0.ds = '{{{{ ds }}}}'", table)


def test_the_graph_knows_what_every_table_reads_and_who_reads_it() -> None:
    graph = build_graph(catalog(WEEK, DAY, ACCOUNT, CLICK, external=["legacy.city"]))

    assert list(graph.models) == ["dw.dw_day", "ads.ads_week"]
    assert [str(upstream) for upstream in graph.upstreams("ads.ads_week")] == [
        "ads.ads_week: -1 day",
        "dw.dw_day: -6..0 days",
        "legacy.city: whole",
    ]
    assert graph.upstreams("ods.ods_t_account") == ()
    assert graph.downstreams("ods.ods_t_click") == ("dw.dw_day",)
    assert graph.downstreams("ads.ads_week") == ()
    assert graph.models["ads.ads_week"].columns == ("id", "clicks", "before")


def test_no_table_has_the_level_of_one_that_it_reads() -> None:
    graph = build_graph(catalog(WEEK, DAY, ACCOUNT, CLICK, external=["legacy.city"]))
    levels = {
        name: graph.level(name) for name in ("ods.ods_t_click", "legacy.city", "dw.dw_day", "ads.ads_week")
    }
    assert levels == {"ods.ods_t_click": 0, "legacy.city": 0, "dw.dw_day": 1, "ads.ads_week": 2}


def test_what_has_to_stand_before_a_partition_is_made() -> None:
    graph = build_graph(catalog(WEEK, DAY, ACCOUNT, CLICK, external=["legacy.city"]))
    day = graph.upstream_partitions("dw.dw_day", "day", "2026-01-09")

    assert day["ods.ods_t_account"] == ("2026-01-09",)
    assert (len(day["ods.ods_t_click"]), day["ods.ods_t_click"][-1]) == (24, "2026-01-09-23:00")
    assert graph.upstream_partitions("ads.ads_week", "day", "2026-01-09") == {
        "ads.ads_week": ("2026-01-08",),
        "dw.dw_day": tuple(f"2026-01-{day:02d}" for day in range(3, 10)),
    }


def test_columns_are_known_through_models() -> None:
    first = model("SELECT id, name AS called FROM ods.ods_t_account WHERE ds = '{{ ds }}'", "dw.b")
    second = model("SELECT id, caled FROM dw.b WHERE ds = '{{ ds }}'", "dw.a")
    (problem,) = inspect_models(catalog(first, second, ACCOUNT))

    assert f"{problem.at} {problem.message}" == (
        "config/dw/a.sql:1 'caled' is no column of dw.b; did you mean 'called'?\n"
        "  SELECT id, caled FROM dw.b WHERE ds = '{{ ds }}'\n"
        "             ^"
    )


def test_every_problem_of_every_model_is_in_one_error() -> None:
    unread = model("SELECT id FROM ods.ods_t_acount\nWHERE ds = '{{ dss }}'", "dw.a")
    undeclared = model(
        "SELECT a.id FROM ods.ods_t_acount a\nJOIN hive.other o ON o.id = a.id\nJOIN ods_t_account"
        " b USING (id)",
        "dw.b",
    )
    unparsed = model("SELECT id, FROM (x", "dw.c")
    with pytest.raises(SpecError) as caught:
        build_graph(catalog(unread, undeclared, unparsed, ACCOUNT))

    assert str(caught.value) == (
        "config: 5 problems in 3 files\n"
        "  config/dw/a.sql:2   there is no variable 'dss'; did you mean 'ds'?\n"
        "                        WHERE ds = '{{ dss }}'\n"
        "                                       ^\n"
        "  config/dw/b.sql:1   there is no table 'ods.ods_t_acount'; did you mean 'ods.ods_t_account'?\n"
        "                        SELECT a.id FROM ods.ods_t_acount a\n"
        "                                         ^\n"
        "  config/dw/b.sql:2   there is no table 'hive.other'; declare it, or list it as `external` in"
        " platform.yaml if somebody else makes it\n"
        "                        JOIN hive.other o ON o.id = a.id\n"
        "                             ^\n"
        "  config/dw/b.sql:3   table 'ods_t_account' is named without its database; did you mean"
        " 'ods.ods_t_account'?\n"
        "                        JOIN ods_t_account b USING (id)\n"
        "                             ^\n"
        "  config/dw/c.sql:1   this SQL cannot be parsed: expecting ) at 'x'\n"
        "                        SELECT id, FROM (x\n"
        "                                         ^\n"
        "  effect              nothing was run\n"
        "  next                dataplat check"
    )


def test_a_cycle_is_told_as_a_path_where_it_closes() -> None:
    specs = [selecting("dw.b", "dw.c"), selecting("dw.c", "ads.z", "dw.a"), selecting("dw.a", "dw.b")]
    specs.append(selecting("ads.z", "dw.z"))
    specs.append(model("SELECT 1 AS a", "dw.z"))
    with pytest.raises(SpecError) as caught:
        build_graph(catalog(*specs))  # type: ignore[arg-type]

    assert str(caught.value) == (
        "config: 1 problem in 1 file\n"
        "  config/dw/c.sql:2   models read each other in a cycle: dw.a → dw.b → dw.c → dw.a\n"
        "                        FROM ads.z t0 JOIN dw.a t1 USING (a, ds)\n"
        "                                           ^\n"
        "  effect              nothing was run\n"
        "  next                dataplat check"
    )


def test_a_model_that_reads_its_own_past_is_no_cycle() -> None:
    spec = model("SELECT 1 AS a FROM dw.a WHERE ds = '{{ prev_ds }}'", "dw.a")
    graph = build_graph(catalog(spec))

    assert graph.upstream_partitions("dw.a", "day", "2026-01-09") == {"dw.a": ("2026-01-08",)}
    assert graph.downstreams("dw.a") == ()


def test_ctes_that_multiply_without_end_are_refused() -> None:
    ctes = ["t0 AS (SELECT id, ds FROM ods.ods_t_account)"]
    ctes += [f"t{n} AS (SELECT a.id, a.ds FROM t{n - 1} a JOIN t{n - 1} b USING (id))" for n in range(1, 30)]
    spec = model(f"WITH {', '.join(ctes)}\nSELECT id FROM t29 WHERE ds = '{{{{ ds }}}}'", "dw.a")
    (problem,) = inspect_models(catalog(spec, ACCOUNT))

    assert (problem.at, problem.text) == (
        "config/dw/a.sql:1",
        "the CTEs of this SQL name each other too often to be followed; split the model",
    )


def test_a_graph_can_be_kept_as_long_as_nothing_in_it_changes() -> None:
    first = catalog(WEEK, DAY, ACCOUNT, CLICK, external=["legacy.city"])
    wider = catalog(WEEK, DAY, ACCOUNT, loaded("ods.ods_t_click", ["a"], "hour"), external=["legacy.city"])
    other = catalog(WEEK, DAY.with_sql("SELECT 1 AS one"), ACCOUNT, CLICK, external=["legacy.city"])
    graph = build_graph(first)

    assert pickle.loads(pickle.dumps(graph)).models == graph.models
    again = catalog(CLICK, ACCOUNT, DAY, WEEK, external=["legacy.city"])
    assert graph_fingerprint(first) == graph_fingerprint(again)
    assert len({graph_fingerprint(found) for found in (first, wider, other)}) == 3
