"""``dataplat audit``: count the tables that others make, and write down what was found."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dataplat.cli import audit_options as options
from dataplat.cli import audit_report
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.session import Session
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.lifecycle.audits.setting import AuditSetting
    from dataplat.plan.watermark import WatermarkOptions
    from dataplat.specs.audit import AuditSpec

_NOTHING = "nothing was audited"


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Count the tables that others make.")
    group.callback()(_options)
    group.command("run")(run)
    group.command("report")(audit_report.report)
    group.command("init")(init)
    app.add_typer(group, name="audit")


def _options(_config: Config = None, _json: Json = False) -> None:
    """Count the tables that others make."""


def run(
    context: typer.Context,
    name: options.Name = "",
    tasks: options.Tasks = "",
    skip_clickhouse: options.SkipClickhouse = False,
    date: options.Date = "",
    hours_lookback: options.HoursLookback = None,
    watermark_path: options.WatermarkPath = None,
    watermark_overlap_seconds: options.OverlapSeconds = None,
    watermark_max_window_hours: options.MaxWindowHours = None,
    watermark_reset: options.Reset = False,
    watermark_init_now: options.InitNow = False,
    disable_watermark: options.Disable = False,
    concurrency: options.Concurrency = None,
    hadoop_conf_dir: options.HadoopConfDir = None,
    dry_run: options.DryRun = False,
    log_file: options.LogFile = None,
    verbose: options.Verbose = False,
    jar: options.Ignored = None,
    java_home: options.Ignored = None,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Count the tables of tasks that have ended, and write down what was found.

    Exit codes: 0 every table was counted and is as expected; 1 one was not, or results wait on this disk;
    2 some files of a table were not counted. Environment before configuration: CLICKHOUSE_HOST and the like,
    MYSQL_HOST and the like, DATAPLAT_AUDIT_HOURS_LOOKBACK and the like.
    """
    from dataplat.cli.audit_show import AuditTalk, begin_now, carry_out
    from dataplat.plan.audit_selection import AuditRequest

    session = session_of(context)
    audit = find_audit(session, name)
    numbers = {
        "hours_lookback": hours_lookback,
        "watermark_overlap_seconds": watermark_overlap_seconds,
        "watermark_max_window_hours": watermark_max_window_hours,
    }
    windows = _watermark_options(session, audit, numbers, disable_watermark)
    request = AuditRequest(
        tasks=tuple(part.strip() for part in tasks.split(",") if part.strip()),
        skip_task_list=skip_clickhouse,
        date_option=_day(date),
        concurrency=concurrency,
    )
    setting = setting_of(session, audit, hadoop_conf_dir)
    with AuditTalk(session, log_file, verbose) as talk:
        if jar or java_home:
            talk.note("--jar and --java-home have no effect: files are counted without Java")
        store = setting.watermark(watermark_path.absolute() if watermark_path else None)
        if watermark_reset:
            store.clear()
        if watermark_init_now and begin_now(setting, store, talk):
            return
        code = carry_out(setting, windows, store, request, talk, dry_run=dry_run)
    if code:
        raise typer.Exit(code)


def init(
    context: typer.Context,
    name: options.Name = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Make the table audit_result, or add our columns to the old auditor's.

    The columns may be empty, and rows that are there stay as they are.
    """
    session = session_of(context)
    setting = setting_of(session, find_audit(session, name))
    added = setting.results.prepare(extend=True)
    place = setting.results.place
    setting.close()
    session.output.document({"ok": True, "place": place, "added": list(added)})
    session.output.line(f"{place}: audit_result is ready" + (f"; added {', '.join(added)}" if added else ""))


def find_audit(session: Session, name: str) -> "AuditSpec":
    """Return the audit that is meant.

    Raises:
        SelectionError: There is none of this name, or several and none was named.
    """
    from dataplat.specs.problems import did_you_mean

    known = session.catalog.audits
    if not name and len(known) == 1:
        return next(iter(known.values()))
    if name in known:
        return known[name]
    problem = (
        f"there is no audit of this name{did_you_mean(name, known)}" if name else "which audit is meant?"
    )
    raise SelectionError(
        name or "audit",
        problem if known or name else "there is no audit",
        facts=[("declared", ", ".join(known) or "none")],
        effect=_NOTHING,
        next_steps=[]
        if known
        else ["dataplat import audit-yaml config.yaml --output config/audits/NAME.yaml"],
    )


def setting_of(session: Session, audit: "AuditSpec", hadoop_conf: Path | None = None) -> "AuditSetting":
    """Return an audit in the surroundings of a command.

    Raises:
        SelectionError: ``hadoop_conf`` is no folder.
    """
    from dataplat.lifecycle.audits.setting import AuditSetting

    if hadoop_conf and not hadoop_conf.is_dir():
        raise SelectionError("--hadoop-conf-dir", f"'{hadoop_conf}' is no folder", effect=_NOTHING)
    return AuditSetting(
        audit,
        session.catalog,
        lambda: session.ledger,
        session.settings,
        session.environ,
        hadoop_conf.absolute() if hadoop_conf else None,
        session.now,
    )


def _day(text: str) -> str | None:
    from dataplat.plan.partition_names import parse_partition

    return parse_partition(text, "day", subject="--date").replace("-", "") if text else None


def _watermark_options(
    session: Session, audit: "AuditSpec", numbers: dict[str, float | None], disabled: bool
) -> "WatermarkOptions":
    from dataplat.plan.watermark import choose_options

    tasks = audit.tasks
    return choose_options(
        numbers,
        session.environ,
        {name: getattr(tasks, name) for name in numbers} if tasks else {},
        enabled=not disabled and (tasks is None or tasks.watermark_enabled),
        advance_on_failure=tasks is not None and tasks.watermark_advance_on_failure,
    )
