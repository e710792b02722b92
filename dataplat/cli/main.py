"""The entry point: the command tree, the global options, and the one place where errors become exit codes.

Exit codes: 0 good, 1 failed, 2 a command line that cannot be carried out, 130 interrupted.
"""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from dataplat.cli import (
    audit,
    backfill,
    check,
    collect,
    count,
    demo,
    diff,
    drift,
    engine,
    explain,
    expr,
    failures,
    gate,
    import_old,
    late,
    ledger,
    load,
    model_tests,
    models,
    pause,
    ready,
    recheck,
    rollback,
    schema,
    shards,
)
from dataplat.cli.options import Config, Json
from dataplat.cli.session import Session
from dataplat.errors import DataplatError

app = typer.Typer(
    name="dataplat",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)

# In the order of --help.
_MODULES = (
    *(demo, check, model_tests, load, backfill, expr, explain, shards, schema, diff, models, ledger, gate),
    *(recheck, ready, late, drift, pause, rollback, collect, count, audit, import_old, engine),
)
for module in _MODULES:
    module.register(app)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(f"dataplat {version('dataplat')}")
        raise typer.Exit


@app.callback()
def dataplat(
    _config: Config = None,
    _json: Json = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True, expose_value=False
        ),
    ] = False,
) -> None:
    """Bring sharded MySQL tables into Hive: no partition is visible before it is proven, none is lost.

    Exit codes: 0 good, 1 failed, 2 the command line cannot be carried out, 130 interrupted.
    """


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Carry out one command line and return its exit code. Prints every error; raises none."""
    session = Session(environ, shlex.join(["dataplat", *arguments]))
    try:
        code = app(list(arguments), obj=session, prog_name="dataplat", standalone_mode=False)
        if code == failures.INTERRUPTED:
            return failures.report_interrupt(session)
        return int(code or 0)
    except DataplatError as error:
        return failures.report(session, error)
    except KeyboardInterrupt:
        return failures.report_interrupt(session)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "dataplat"
        return failures.report_usage(session, where, error.format_message())
    except typer.Abort:
        return failures.report_interrupt(session)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.FAILED
    except Exception as error:  # noqa: BLE001 - the last stop: a bug is written to a file, not to the screen
        return failures.report_bug(session, error, arguments)
    finally:
        session.close()


def main() -> None:
    """Console script ``dataplat``."""
    code = run(sys.argv[1:], dict(os.environ))
    if code == failures.INTERRUPTED:
        # An interrupt may hit gRPC while it holds a lock of its own. The threads in which Spark's client lets
        # go of its results then wait for ever, and Python would wait for them.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
