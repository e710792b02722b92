"""``dataplat engine``: the Spark server of this home."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import size
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.engine.session import SparkEngine

Name = Annotated[str, typer.Option("--name", help="Which engine: default, or one of `engines`.")]
_HELP = "Start and stop Spark; commands that need it start it."


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help=_HELP)
    group.command("start")(start)
    group.command("stop")(stop)
    group.command("status")(status)
    app.add_typer(group, name="engine")


def start(
    context: typer.Context, name: Name = "default", _config: Config = None, _json: Json = False
) -> None:
    """Start an engine and wait until it answers. One that runs is left alone."""
    session = session_of(context)
    engine = session.platform.engine(name)
    session.output.note(f"engine {name}: starting, or joining one that runs")
    engine.session()
    _show(session, [engine])


def stop(context: typer.Context, name: Name = "default", _config: Config = None, _json: Json = False) -> None:
    """Stop an engine. Work in it is lost; nothing that is visible is."""
    session = session_of(context)
    engine = session.platform.engine(name)
    stopped = engine.stop()
    session.output.document({"ok": True, "engine": name, "stopped": stopped})
    session.output.line(f"engine {name}: {'stopped' if stopped else 'was not running'}")


def status(context: typer.Context, _config: Config = None, _json: Json = False) -> None:
    """Say which engines run, where, and with how much memory."""
    session = session_of(context)
    platform = session.platform
    _show(session, [platform.engine(name) for name in session.catalog.platform.engine_names])


def _show(session: Session, engines: "list[SparkEngine]") -> None:
    described = [_described(engine) for engine in engines]
    session.output.document({"ok": True, "engines": described})
    session.output.table(
        ["engine", "mode", "state", "pid", "address", "memory"],
        [
            [
                item["engine"],
                item["mode"],
                "running" if item["running"] else "not running",
                item["pid"],
                item["address"],
                size(item["memory_bytes"]),
            ]
            for item in described
        ],
    )


def _described(engine: "SparkEngine") -> dict[str, Any]:
    status = engine.status()
    return {
        "engine": engine.name,
        "mode": engine.spec.mode,
        "running": status.running,
        "pid": status.pid,
        "address": status.url or None,
        "memory_bytes": status.memory_bytes if status.running else None,
    }
