"""What each model reads and where its columns come from, one reviewed file a case."""

from pathlib import Path

import pytest

from dataplat.plan.models.graph import ModelAnalysis
from dataplat_tests.conftest import Golden
from dataplat_tests.unit.plan.models.builders import analyse, messages

GOLDEN = Path(__file__).parents[3] / "golden" / "models"
CASES = {
    "join_and_group": """\
SELECT a.id AS account_id, sum(m.money) AS money, count(*) AS records,
       max(CASE WHEN a.type = 1 THEN m.reason ELSE a.name END) AS reason
FROM   ods.account a JOIN ods.money m ON m.account_id = a.id AND m.ds = '{{ ds }}'
WHERE  a.ds = '{{ ds }}'
GROUP  BY a.id
""",
    "ctes_in_a_chain": """\
WITH money AS (SELECT account_id, money * 100 AS cents, ds FROM ods.money),
     daily (account, total, day) AS (SELECT account_id, sum(cents), ds FROM money GROUP BY account_id, ds)
SELECT t.account, t.total, t.total - coalesce(y.total, 0) AS rise
FROM   daily t LEFT JOIN daily y ON y.account = t.account AND y.day = date_sub(t.day, 1)
WHERE  t.day = '{{ ds }}'
""",
    "union": """\
SELECT id, name FROM ods.account WHERE ds = '{{ ds }}'
UNION ALL
SELECT account_id, concat(reason, cast(money AS string)) FROM ods.money WHERE ds = '{{ prev_ds }}'
UNION ALL
SELECT 0, 'none'
""",
    "stars": """\
SELECT a.* EXCEPT (ds, created), m.money
FROM   ods.account a JOIN (SELECT * FROM ods.money WHERE ds = '{{ ds }}') m ON m.account_id = a.id
WHERE  a.ds = '{{ ds }}'
""",
    "star_over_unknown_columns": """\
SELECT r.* EXCEPT (ds), c.city, r.price * 2 AS twice
FROM   ods.raw r LEFT JOIN legacy.city c USING (id)
WHERE  r.ds = '{{ ds }}'
""",
    "subqueries_and_windows": """\
SELECT id, rank() OVER (PARTITION BY type ORDER BY created DESC) AS place,
       (SELECT max(g.goal) FROM ods.goal g WHERE g.ds = '{{ month }}' AND g.account_id = a.id) AS goal,
       id IN (SELECT account_id FROM ods.money WHERE ds = '{{ ds }}') AS moved
FROM   ods.account a
WHERE  ds = '{{ ds }}'
""",
    "lateral_view_and_alias": """\
SELECT account_id, word, length(word) AS size, size + 1 AS larger
FROM   ods.click LATERAL VIEW explode(split(url, '/')) w AS word
WHERE  ds = '{{ ds }}' AND hr BETWEEN '08' AND '17'
""",
    "template": """\
SELECT account_id
{%- for kind in ['in', 'out'] %},
       sum(if(reason = '{{ kind }}', money, 0)) AS money_{{ kind }}
{%- endfor %}
FROM   ods.money
WHERE  ds BETWEEN '$[yyyy-MM-dd-6]' AND '{{ ds }}'
GROUP  BY 1
""",
}


def shown(sql: str, analysis: ModelAnalysis) -> str:
    width = max(len(lineage.column) for lineage in analysis.lineage)
    columns = [
        f"  {lineage.column:<{width}}   {', '.join(map(str, lineage.sources)) or 'nothing'}"
        f"{'' if lineage.complete else ' and what is not known'}"
        for lineage in analysis.lineage
    ]
    upstreams = [f"  {upstream}" for upstream in analysis.upstreams]
    return "\n".join([sql, "reads", *upstreams, "", "columns", *columns, ""])


@pytest.mark.parametrize("name", CASES)
def test_the_lineage_of_a_model_is_reviewed(golden: Golden, name: str) -> None:
    analysis = analyse(CASES[name])

    assert messages(analysis) == []
    golden(GOLDEN / f"{name}.txt", shown(CASES[name], analysis))


def test_a_column_that_several_tables_could_have_is_claimed_of_none() -> None:
    analysis = analyse("SELECT price FROM ods.raw r JOIN ods.raw s ON r.ds = s.ds WHERE r.ds = '{{ ds }}'")

    assert [(line.sources, line.complete) for line in analysis.lineage] == [((), False)]
