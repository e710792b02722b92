"""Audits in the definitions: only where they are declared, and without what counts files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLATFORM = "timezone: UTC\nwarehouse: file:///w\nledger: sqlite:///l.db\n"
AUDIT = """\
tasks: {host: ch1, query_template: SELECT 1, sensor: true}
schedules:
  - task_name: t
    period_type: hourly
    tables: [{name: t, hdfs_path: "/t/${data_date}${data_hour}", format: orc, external: ext.t}]
"""
CODE = """
import sys, warnings; warnings.simplefilter('ignore')
from dataplat.definitions import defs
found = defs().get_repository_def()
heavy = {'pyspark', 'pandas', 'pyarrow', 'sqlalchemy', 'fsspec', 'clickhouse_connect', 'dataplat.ledger'}
print(sorted(heavy & sys.modules.keys()))
print(sorted(name for name in sys.modules if name.startswith('dataplat.orchestration.audits')))
print(sorted(sensor.name for sensor in found.sensor_defs), found.has_job('audit'))
"""


@pytest.mark.parametrize(
    ("files", "modules", "rest"),
    [
        ({}, "[]", "[] False"),
        (
            {"audits/nightly.yaml": AUDIT},
            str([f"dataplat.orchestration.audits{name}" for name in ("", ".build", ".sensor")]),
            "['finished_tasks_nightly'] True",
        ),
    ],
)
def test_what_loading_definitions_imports(
    tmp_path: Path, files: dict[str, str], modules: str, rest: str
) -> None:
    for name, text in {"platform.yaml": PLATFORM, **files}.items():
        file = tmp_path / "config" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    environ = {**os.environ, "DATAPLAT_CONFIG": str(tmp_path / "config"), "DATAPLAT_HOME": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environ, capture_output=True, text=True)
    assert (done.stdout.splitlines(), done.returncode) == (["[]", modules, rest], 0), done.stderr
