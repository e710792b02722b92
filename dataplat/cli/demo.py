"""``dataplat demo``: the main job on real input, from an empty folder to proven partitions."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import typer
from rich.console import Console

from dataplat.settings import Settings, read_settings

UI_PORT = 3000


def demo(
    context: typer.Context,
    keep: bool = typer.Option(False, "--keep", help="Leave MariaDB and the engine running afterwards."),
    ui: bool = typer.Option(False, "--ui", help="Open Dagster on 127.0.0.1 with what the demo left."),
    port: int = typer.Option(UI_PORT, "--port", help="Port of the UI."),
) -> None:
    """Fill a private MariaDB, load 14 days, damage a day and repair it."""
    settings = read_settings(os.environ, config=context.obj.config)
    if ui:
        raise typer.Exit(_open_ui(settings, port))
    _show(settings, keep=keep)


def _show(settings: Settings, *, keep: bool) -> None:
    from dataplat.demo.mariadb import PrivateMariaDB
    from dataplat.demo.show import Demo, demo_source
    from dataplat.lifecycle.platform import Platform
    from dataplat.orchestration.instance import open_instance
    from dataplat.orchestration.launch import quiet_dagster

    quiet_dagster()
    console, started = Console(), time.monotonic()
    database = PrivateMariaDB(settings.home)
    with demo_source(database, os.environ, keep=keep) as environ:
        os.environ.update(environ)  # the engine and Dagster's own processes inherit it
        with Platform.load(settings, environ) as platform:
            instance = open_instance(settings.dagster_home, platform.catalog)
            try:
                show = Demo(console, platform, instance, database)
                show.fill()
                show.load_all()
                show.keep_the_promise()
            finally:
                instance.dispose()
                if not keep:
                    platform.engine().stop()
    console.print(
        f"\n[bold]Done[/bold] in {time.monotonic() - started:.0f} s. {_what_next(settings, environ, keep)}"
    )


def _what_next(settings: Settings, environ: Mapping[str, str], keep: bool) -> str:
    lines = [
        "Everything is below " + str(settings.home) + ".",
        "  make ui                                        the same data and history in Dagster",
        "  dataplat ledger ods.ods_t_money_record 2026-01-09   what happened to that day",
    ]
    if keep:
        lines.append("\nMariaDB and the engine keep running. For commands in this shell:")
        names = ("DATAPLAT_DEMO_PORT", "MARKET_PASSWORD", "LOGISTICS_PASSWORD")
        lines += [f"  export {name}={shlex.quote(environ[name])}" for name in names]
        lines.append(f"  export DATAPLAT_HOME={shlex.quote(str(settings.home))}")
        lines.append("Stop them with  dataplat demo --stop")
    return "\n".join(lines)


def _open_ui(settings: Settings, port: int) -> int:
    from dataplat.demo.mariadb import PrivateMariaDB
    from dataplat.demo.show import demo_source
    from dataplat.orchestration.instance import open_instance
    from dataplat.specs import load_catalog

    with demo_source(PrivateMariaDB(settings.home), os.environ, keep=False) as environ:
        open_instance(settings.dagster_home, load_catalog(settings.config_dir, environ)).dispose()
        variables = {
            "DAGSTER_HOME": str(settings.dagster_home),
            "DATAPLAT_HOME": str(settings.home),
            "DATAPLAT_CONFIG": str(settings.config_dir),
        }
        command = [
            str(Path(sys.executable).parent / "dagster"),
            "dev",
            "--module-name",
            "dataplat.definitions",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        Console().print(f"Dagster opens on http://127.0.0.1:{port} (Ctrl-C stops it)")
        try:
            return subprocess.run(command, env={**environ, **variables}, check=False).returncode
        except KeyboardInterrupt:
            return 0
