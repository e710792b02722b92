"""Loading definitions: 1,000 declared tables, and 1,000 models over them, against bare Dagster.

Each side is a process of its own, as every run is: imports count. Bare Dagster has as many assets, checks,
dependencies and automation conditions, written by hand: partitioned, with description, group, owner, kinds,
pool, backfill and retry policy. It has none of our metadata, tags, code versions and descriptions of checks.
The third side is the second without Python's garbage collector, which dataplat lets rest while it loads.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from dataplat_tests.bench.measure import Side, compare

_TABLES = 1000
_PLATFORM = (
    "timezone: Asia/Shanghai\nwarehouse: file:///w\nledger: sqlite:////w/ledger.db\nstart: 2026-01-01\n"
)
_SOURCE = "kind: mysql\nhost: h\nuser: u\npassword: ${BENCH_PASSWORD}\n"
_TABLE = """table: ods.t_{number}
description: Table number {number}
owner: team:warehouse
source: bench
from: {{database: d, table: t_{number}}}
load: incremental
window: {{column: update_time, grain: day, start: 2026-01-01}}
columns: [id, account_id, money, create_time, update_time]
key: [id]
checks:
  - not_null: [id, account_id]
  - unique: [id]
"""
_MODEL = """table: dw.m_{number}
description: Model number {number}
owner: team:warehouse
key: [account_id]
checks:
  - not_null: [account_id]
  - unique: [account_id]
"""
_SQL = """SELECT a.account_id, sum(a.money) AS money, count(DISTINCT b.account_id) AS others
FROM   ods.t_{number} a
JOIN   {other} b ON b.account_id = a.account_id AND b.ds = '{{{{ ds }}}}'
WHERE  a.ds = '{{{{ ds }}}}'
GROUP  BY a.account_id
"""
_DATAPLAT = """
from dataplat.definitions import defs
graph = defs().get_repository_def().asset_graph
print(len(list(graph.get_all_asset_keys())), len(graph.asset_check_keys))
"""
# What bare Dagster is to have is read off our definitions once, before anything is timed.
_SHAPE = """
import json
from dataplat.definitions import defs
graph = defs().get_repository_def().asset_graph
assets = []
for key in graph.toposorted_asset_keys:
    node = graph.get(key)
    checks = [check.name for check in graph.get_check_keys_for_assets({key})]
    assets.append([list(key.path), sorted(checks), [list(parent.path) for parent in node.parent_keys],
                   node.automation_condition is not None])
print(json.dumps(assets))
"""
_BARE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import dagster as dg
day = dg.DailyPartitionsDefinition("2026-01-01", timezone="Asia/Shanghai")
condition = dg.AutomationCondition.eager()

def make(path, names, parents, automated):
    key = dg.AssetKey(path)
    deps = [dg.AssetDep(dg.AssetKey(parent), partition_mapping=dg.TimeWindowPartitionMapping())
            for parent in parents]
    spec = dg.AssetSpec(key, partitions_def=day, deps=deps, description=f"Table {path[-1]}",
                        group_name="bench", owners=["team:warehouse"], kinds={"sql", "hive", "spark"},
                        automation_condition=condition if automated else None)
    checks = [dg.AssetCheckSpec(name, asset=key, blocking=True, partitions_def=day) for name in names]
    @dg.multi_asset(name="__".join(path), specs=[spec], check_specs=checks, pool="source_bench",
                    backfill_policy=dg.BackfillPolicy.multi_run(60),
                    retry_policy=dg.RetryPolicy(max_retries=2))
    def load(context):
        yield dg.MaterializeResult()
    return load

with open(sys.argv[1]) as file:
    assets = [make(*asset) for asset in json.load(file)]
graph = dg.Definitions(assets=assets, executor=dg.in_process_executor).get_repository_def().asset_graph
print(len(list(graph.get_all_asset_keys())), len(graph.asset_check_keys))
"""
_NO_GC = "import gc; gc.disable()"


def thousand_tables(rounds: int = 5) -> str:
    """Definitions of 1,000 tables."""
    return _compare("Definitions of 1,000 tables", rounds, models=0)


def thousand_models(rounds: int = 5) -> str:
    """Definitions of 1,000 tables and 1,000 models, each over a table and the model before it."""
    return _compare("Definitions of 1,000 tables and 1,000 models", rounds, models=_TABLES)


def _compare(title: str, rounds: int, models: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_config(home / "config", models)
        environ = {"DATAPLAT_CONFIG": str(home / "config"), "DATAPLAT_HOME": folder, "PATH": "/usr/bin:/bin"}
        counts = {}

        def run(code: str, *arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments],
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout

        def timed(name: str, code: str, *arguments: str) -> None:
            counts[name] = run(code, *arguments).split()

        shape = home / "shape.json"
        shape.write_text(run(_SHAPE))
        sides = [
            Side("dataplat: YAML and SQL to repository", lambda: timed("dataplat", _DATAPLAT)),
            Side("bare Dagster, same assets and checks", lambda: timed("bare", _BARE, str(shape))),
            Side("bare Dagster, garbage collector off", lambda: timed("off", _NO_GC + _BARE, str(shape))),
        ]
        result = compare(title, "at most 1.3 × bare Dagster", sides, rounds=rounds)
    if counts["dataplat"] != counts["bare"]:
        raise RuntimeError(f"the sides differ: {json.dumps(counts)}")
    result.notes.append(f"Both sides: {counts['bare'][0]} assets, {counts['bare'][1]} checks.")
    return result.render(sides[0].name)


def write_config(config: Path, models: int, tables: int = _TABLES) -> None:
    """Write a platform of so many tables, and of models over them in chains of ten."""
    for name in ("sources", "ods", "dw"):
        (config / name).mkdir(parents=True)
    (config / "platform.yaml").write_text(_PLATFORM)
    (config / "sources" / "bench.yaml").write_text(_SOURCE)
    for number in range(tables):
        (config / "ods" / f"t_{number}.yaml").write_text(_TABLE.format(number=number))
    for number in range(models):
        other = f"dw.m_{number - 1}" if number % 10 else f"ods.t_{(number + 1) % tables}"
        (config / "dw" / f"m_{number}.yaml").write_text(_MODEL.format(number=number))
        (config / "dw" / f"m_{number}.sql").write_text(_SQL.format(number=number, other=other))
