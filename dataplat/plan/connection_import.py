"""The old auditor's ``db_config.yaml`` as ``tasks`` and ``results`` of an audit.

Passwords do not travel: what is written in the file stays there, and the new one names the environment
variable that the old auditor knew already.
"""

import re
from collections.abc import Mapping
from typing import Any

from dataplat.plan.audit_import import ConvertedAudit
from dataplat.specs.audit_tasks import HTTP_PORT, HTTPS_PORT, NATIVE_PORTS, ResultsSpec, TaskListSpec

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECTIONS = ("mysql", "clickhouse", "watermark")
_OTHER_NAMES = {"tls": "secure", "ssl": "secure", "username": "user", "lookback_hours": "hours_lookback"}


def convert_connections(old: Mapping[str, Any]) -> ConvertedAudit:
    """Return ``tasks`` and ``results``, and what was changed or left out. Never raises for its content.

    >>> convert_connections({"mysql": {"host": "h", "password": "x"}}).content["results"]["password"]
    '${MYSQL_PASSWORD}'
    """
    notes: list[str] = []
    content: dict[str, Any] = {}
    if isinstance(old.get("clickhouse"), Mapping):
        content["tasks"] = _tasks(old["clickhouse"], old.get("watermark"), notes)
    elif old.get("watermark"):
        notes.append("watermark: has no place without a task list, and was left out")
    if isinstance(old.get("mysql"), Mapping):
        content["results"] = _section(old["mysql"], "mysql", frozenset(ResultsSpec.model_fields), notes)
    notes += [f"{name}: has no place in an audit, and was left out" for name in old if name not in _SECTIONS]
    return ConvertedAudit(content, tuple(notes))


def _tasks(clickhouse: Mapping[str, Any], watermark: Any, notes: list[str]) -> dict[str, Any]:
    written = dict(clickhouse)
    for name, value in (watermark if isinstance(watermark, Mapping) else {}).items():
        known = name if name in TaskListSpec.model_fields else f"watermark_{name}"
        written.setdefault(known, value)
    tasks = _section(written, "clickhouse", frozenset(TaskListSpec.model_fields), notes)
    if tasks.get("host") and tasks.get("hosts"):
        notes.append("clickhouse.host: was left out, hosts names them all")
        del tasks["host"]
    if tasks.get("port") in NATIVE_PORTS:
        port = HTTPS_PORT if tasks.get("secure") else HTTP_PORT
        notes.append(
            f"clickhouse.port: {tasks['port']} speaks the native protocol; it is asked by HTTP, {port}"
        )
        tasks["port"] = port
    if "watermark_path" in tasks:
        notes.append(
            "clickhouse.watermark_path: counts from the folder that holds config/ now; move the file"
        )
    if "query_template" in tasks:
        notes.append(
            "clickhouse.query_template: may return the end of a task as its 4th column; then repeats"
        )
        notes[-1] += " are recognised, and the sensor can be used"
    return tasks


def _section(old: Mapping[str, Any], place: str, known: frozenset[str], notes: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in old.items():
        ours = _OTHER_NAMES.get(name, name)
        if name == "pool_size":
            notes.append(f"{place}.pool_size: was left out, the pool keeps 5")
        elif ours not in known:
            notes.append(f"{place}.{name}: has no place here, and was left out")
        elif ours == "password":
            kept |= _password(value, place, notes)
        elif value not in (None, "", []):
            kept[ours] = value
    return kept


def _password(value: Any, place: str, notes: list[str]) -> dict[str, str]:
    if not value:
        return {}
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return {"password": value}
    variable = f"{place.upper()}_PASSWORD"
    notes.append(f"{place}.password: is not written into files; export {variable}=…")
    return {"password": f"${{{variable}}}"}
