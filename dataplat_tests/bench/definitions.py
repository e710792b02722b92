"""Loading definitions: 1,000 declared tables against bare Dagster with as many assets and checks.

Each side is a process of its own, as every run is: imports count.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from dataplat_tests.bench.measure import Side, compare

_TABLES = 1000
_PLATFORM = "timezone: Asia/Shanghai\nwarehouse: file:///w\nledger: sqlite:////w/ledger.db\n"
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
_DATAPLAT = """
import os, sys
from dataplat.definitions import defs
loaded = defs()
repository = loaded.get_repository_def()
print(len(list(repository.asset_graph.get_all_asset_keys())), len(repository.asset_graph.asset_check_keys))
"""
_BARE = """
import sys, warnings
warnings.simplefilter("ignore")
import dagster as dg
day = dg.DailyPartitionsDefinition("2026-01-01", timezone="Asia/Shanghai")
names = sys.argv[1].split(",")

def make(number):
    key = dg.AssetKey(["ods", "ods", f"t_{number}"])
    spec = dg.AssetSpec(key, partitions_def=day, description=f"Table number {number}",
                        group_name="bench", owners=["team:warehouse"], kinds={"mysql", "hive", "spark"})
    checks = [dg.AssetCheckSpec(name, asset=key, blocking=True, partitions_def=day) for name in names]
    @dg.multi_asset(name=f"ods__ods__t_{number}", specs=[spec], check_specs=checks, pool="source_bench",
                    backfill_policy=dg.BackfillPolicy.multi_run(60),
                    retry_policy=dg.RetryPolicy(max_retries=2))
    def load(context):
        yield dg.MaterializeResult()
    return load

assets = [make(number) for number in range(int(sys.argv[2]))]
loaded = dg.Definitions(assets=assets, executor=dg.in_process_executor)
repository = loaded.get_repository_def()
print(len(list(repository.asset_graph.get_all_asset_keys())), len(repository.asset_graph.asset_check_keys))
"""
_CHECKS = (
    "row_count_matches_source,files_are_complete,rows_in_their_partition,not_null_id_account_id,unique_id"
)


def thousand_tables(rounds: int = 5) -> str:
    """Definitions of 1,000 tables."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        (config / "sources").mkdir(parents=True)
        (config / "ods").mkdir()
        (config / "platform.yaml").write_text(_PLATFORM)
        (config / "sources" / "bench.yaml").write_text(_SOURCE)
        for number in range(_TABLES):
            (config / "ods" / f"t_{number}.yaml").write_text(_TABLE.format(number=number))
        environ = {"DATAPLAT_CONFIG": str(config), "DATAPLAT_HOME": folder, "PATH": "/usr/bin:/bin"}
        counts = {}

        def run(name: str, code: str, *arguments: str) -> None:
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments],
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            )
            counts[name] = done.stdout.split()

        sides = [
            Side("dataplat: YAML to repository", lambda: run("dataplat", _DATAPLAT)),
            Side("bare Dagster, same assets and checks", lambda: run("bare", _BARE, _CHECKS, str(_TABLES))),
        ]
        result = compare("Definitions of 1,000 tables", "at most 1.3 × bare Dagster", sides, rounds=rounds)
    if counts["dataplat"] != counts["bare"]:
        raise RuntimeError(f"the sides differ: {json.dumps(counts)}")
    result.notes.append(f"Both sides: {counts['bare'][0]} assets, {counts['bare'][1]} checks.")
    return result.render(sides[0].name)
