"""Trees of graphs that the little warehouse does not have: stars, models that read their past, diamonds."""

from dataplat.cli.lineage import column_tree, table_tree
from dataplat.plan.models.reading import build_graph
from dataplat_tests.unit.plan.models.builders import catalog, loaded, model

DS = "ds = '{{ ds }}'"


def test_a_column_behind_a_star_is_traced_to_all_that_the_star_brings() -> None:
    known = catalog(
        loaded("ods.a"),
        model(f"SELECT * EXCEPT (ds) FROM ods.a WHERE {DS}", "dim.b"),
        model(f"SELECT max(price) AS top FROM dim.b WHERE {DS}", "dw.c"),
    )
    tree = column_tree(known, build_graph(known), known.model("dw.c"), "top")
    assert tree.lines == (
        "dw.c.top",
        "└── dim.b.price",
        "    ├── ods.a.*, loaded from s",
        "    └── others, which the SQL does not name",
    )
    assert tree.document["columns"] == {
        "dw.c.top": {"sources": ["dim.b.price"], "complete": True},
        "dim.b.price": {"sources": ["ods.a.*"], "complete": False},
    }


def test_a_model_that_reads_its_past_ends_its_own_branch() -> None:
    sql = f"SELECT a.n + p.n AS n FROM ods.a a JOIN dw.c p ON p.n > a.n WHERE a.{DS}"
    sql += " AND p.ds = '{{ prev_ds }}'"
    known = catalog(loaded("ods.a", ["n"]), model(sql, "dw.c"))
    graph = build_graph(known)
    assert table_tree(known, graph, known.model("dw.c")).lines == (
        "dw.c",
        "├── dw.c: -1 day, as above",
        "└── ods.a: 0 day, loaded from s",
    )
    assert column_tree(known, graph, known.model("dw.c"), "N").lines == (
        "dw.c.n",
        "├── dw.c.n, as above",
        "└── ods.a.n, loaded from s",
    )


def test_a_tree_over_many_diamonds_is_no_longer_than_the_graph() -> None:
    models = [model(f"SELECT n FROM ods.a WHERE {DS}", "dw.m0")]
    for number in range(1, 30):
        below = f"dw.m{number - 1}"
        sql = f"SELECT l.n FROM {below} l JOIN {below} r ON r.n = l.n AND r.{DS} WHERE l.{DS}"
        models.append(model(f"{sql} UNION ALL SELECT n FROM dw.m0 WHERE {DS}", f"dw.m{number}"))
    known = catalog(loaded("ods.a", ["n"]), *models)
    tree = table_tree(known, build_graph(known), known.model("dw.m29"))
    assert len(tree.lines) < 70
    assert len(tree.document["upstreams"]) == 31
