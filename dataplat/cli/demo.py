"""``dataplat demo``: the main job on real input, from an empty folder to proven partitions."""

import shlex
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.settings import Settings

if TYPE_CHECKING:
    from dataplat.cli.session import Session

_SHOWN = ("DATAPLAT_HOME", "DATAPLAT_DEMO_PORT", "MARKET_PASSWORD", "LOGISTICS_PASSWORD")


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave MariaDB and the engine running.")] = False,
    source_only: Annotated[
        bool, typer.Option("--source-only", help="Fill MariaDB and load nothing: the rest is yours.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop what --keep left running.")] = False,
    ui: Annotated[bool, typer.Option("--ui", help="Open Dagster with what the demo left.")] = False,
    port: Annotated[int, typer.Option("--port", help="Port of the UI on 127.0.0.1.")] = 3000,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Build the warehouse of a little shop; damage days, repair them."""
    session = session_of(context)
    if stop:
        _stop(session)
    elif ui:
        raise typer.Exit(_open_ui(session, port))
    else:
        _show(session, keep=keep, source_only=source_only)


def _show(session: "Session", *, keep: bool, source_only: bool) -> None:
    from rich.console import Console

    from dataplat.demo.mariadb import PrivateMariaDB
    from dataplat.demo.models import BAD_TABLE, REJECTED, WAITING, Warehouse
    from dataplat.demo.show import Demo, demo_source
    from dataplat.lifecycle.platform import Platform
    from dataplat.orchestration.instance import open_instance
    from dataplat.orchestration.launch import quiet_dagster
    from dataplat.specs import load_catalog

    quiet_dagster()
    console = Console(stderr=session.output.as_json)
    started = time.monotonic()
    settings = session.settings
    database = PrivateMariaDB(settings.home)
    with demo_source(database, session.environ, keep=keep) as environ:
        catalog = load_catalog(settings.config_dir, environ)
        with (
            Platform(settings, catalog, environ) as platform,
            open_instance(settings.dagster_home, catalog) as instance,
        ):
            try:
                show = Demo(console, platform, instance, database)
                show.fill()
                if not source_only:
                    show.load_all()
                    show.keep_the_promise()
                    if {BAD_TABLE, REJECTED, WAITING} <= set(catalog.all_tables):
                        Warehouse(console, platform, instance, database).build()
            finally:
                if not keep:
                    platform.engine().stop()
    seconds = time.monotonic() - started
    session.output.document({"ok": True, "home": str(settings.home), "seconds": round(seconds, 1)})
    console.print(f"\n[bold]Done[/bold] in {seconds:.0f} s; all of it is in {settings.home}", soft_wrap=True)
    console.print(_what_next(settings, environ, keep, source_only), highlight=False, soft_wrap=True)


def _what_next(settings: Settings, environ: Mapping[str, str], keep: bool, source_only: bool) -> str:
    lines = [
        "  make ui          the same data and history in Dagster",
        "  dataplat ledger ods.ods_t_money_record 2026-01-09",
        "                   what happened to the damaged day",
        "  dataplat ledger dw.dw_order_day 2026-01-13",
        "                   and to the one that was rejected",
    ]
    if source_only:
        lines = []
    if keep:
        running = "MariaDB keeps" if source_only else "MariaDB and the engine keep"
        values = {**environ, "DATAPLAT_HOME": str(settings.home)}
        lines += ["", f"{running} running. Paste this into your shell to use what is there:"]
        lines += [f"  export {name}={shlex.quote(values[name])}" for name in _SHOWN]
        lines += ["and this stops everything; the data stays:", "  dataplat demo --stop"]
    return "\n".join(lines)


def _stop(session: "Session") -> None:
    from dataplat.demo.mariadb import PrivateMariaDB

    stopped = session.platform.engine().stop()
    PrivateMariaDB(session.settings.home).stop()
    session.output.document({"ok": True, "engine_stopped": stopped})
    session.output.line("the demo's MariaDB and its engine are stopped; the data stays")


def _open_ui(session: "Session", port: int) -> int:
    from dataplat.demo.mariadb import PrivateMariaDB
    from dataplat.demo.show import demo_source
    from dataplat.demo.ui import require_free_port, serve_ui
    from dataplat.orchestration.instance import open_instance
    from dataplat.specs import load_catalog

    settings = session.settings
    require_free_port(port)
    database, engine = PrivateMariaDB(settings.home), session.platform.engine()
    kept, engine_kept = database.running(), engine.status().running
    with demo_source(database, session.environ, keep=kept) as environ:
        open_instance(settings.dagster_home, load_catalog(settings.config_dir, environ)).dispose()
        session.output.note(f"Dagster opens on http://127.0.0.1:{port}; Ctrl-C stops it")
        try:
            return serve_ui(settings, environ, port)
        finally:
            if not engine_kept:
                engine.stop()
