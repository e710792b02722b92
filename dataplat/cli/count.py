"""``dataplat count``: rows of files, without Spark and without a configuration folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count as number
from dataplat.cli.output import size
from dataplat.cli.session import Session
from dataplat.errors import SelectionError
from dataplat.plan.file_counts import FileFormat, PathCount, exit_code

if TYPE_CHECKING:
    from dataplat.storage.row_counter import Progress

_SHOWN_ERRORS = 20


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("count")(count)


def count(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files or folders: /t, hdfs://ns1/t.")
    ] = None,
    data_format: Annotated[
        FileFormat,
        typer.Option(
            "--format", "-f", metavar="FORMAT", help="orc, parquet, textfile, avro or sequencefile."
        ),
    ] = ...,  # type: ignore[assignment]  # Typer's way to say that an option is required
    more_paths: Annotated[
        list[str] | None, typer.Option("--path", "-p", metavar="PATH", help="Another way to give a path.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", "-t", min=1, help="Files read at once.")] = 10,
    delimiter: Annotated[
        str, typer.Option("--delimiter", "-d", help=r"What ends a line of text: \n, \001, ||.")
    ] = r"\n",
    hadoop_conf: Annotated[
        Path | None,
        typer.Option(
            "--hadoop-conf",
            "-c",
            metavar="DIR",
            help="Hadoop's configuration; else HADOOP_CONF_DIR, else $HADOOP_HOME/etc/hadoop.",
        ),
    ] = None,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Count the rows of files: of footers, blocks or lines of text.

    Exit codes: 0 every file was counted, 1 a path was not, 2 some files were not; those are named. A path
    without a scheme is on Hadoop's default file system where a configuration names one, else on this machine.
    """
    from dataplat.plan.delimiters import parse_delimiter

    session = session_of(context)
    asked = [*(paths or []), *(more_paths or [])]
    if not asked:
        raise typer.BadParameter("no path is given", context)
    counts = _counted(session, asked, data_format, parse_delimiter(delimiter), threads, hadoop_conf)
    _show(session, counts)
    if code := exit_code(found.status for found in counts):
        raise typer.Exit(code)


def _counted(
    session: Session,
    paths: list[str],
    data_format: FileFormat,
    delimiter: bytes,
    threads: int,
    hadoop_conf: Path | None,
) -> list[PathCount]:
    from dataclasses import replace

    from dataplat.storage.hadoop_conf import default_file_system, locate
    from dataplat.storage.row_counter import count_path

    conf = hadoop_conf.absolute() if hadoop_conf else session.settings.hadoop_conf_dir
    if hadoop_conf and not hadoop_conf.is_dir():
        raise SelectionError("--hadoop-conf", f"'{hadoop_conf}' is no folder", effect="nothing was counted")
    default = default_file_system(conf) if conf else None
    counts = []
    for path in paths:
        with _Bar(session, path) as bar:
            found = count_path(
                locate(path, default),
                data_format,
                threads=threads,
                delimiter=delimiter,
                hadoop_conf=conf if conf and conf.is_dir() else None,
                progress=bar.progress,
            )
        counts.append(replace(found, path=path))
    return counts


def _show(session: Session, counts: list[PathCount]) -> None:
    output = session.output
    documents: list[dict[str, Any]] = [found.document() for found in counts]
    output.document(documents[0] if len(counts) == 1 else {"counts": documents})
    output.table(
        ["path", "status", "rows", "files", "size", "ms"],
        [
            [
                found.path,
                found.status,
                number(None if found.status == "failed" else found.rows),
                number(found.files),
                size(found.bytes),
                number(found.duration_ms),
            ]
            for found in counts
        ],
    )
    for found in counts:
        for problem in found.problems[:_SHOWN_ERRORS]:
            output.note(f"{problem.file}: {problem.error}")
        if len(found.problems) > _SHOWN_ERRORS:
            output.note(f"{found.path}: and {len(found.problems) - _SHOWN_ERRORS} more; --json names all")


class _Bar:
    """How many files are counted, on a terminal only."""

    def __init__(self, session: Session, path: str) -> None:
        self._stream = session.output.err
        self._console = session.output.console
        self._path = path
        self._bar: Any = None
        self._task: Any = None
        self.progress: Progress = self._advance

    def __enter__(self) -> "_Bar":
        if self._stream.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn())
            self._bar = Bar(
                *columns, TimeElapsedColumn(), console=self._console(self._stream), transient=True
            )
            self._task = self._bar.add_task(self._path, total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _advance(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
