"""``dataplat audit report``: what audits have written down."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli.audit_options import Name
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count as number
from dataplat.cli.output import moment, size
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.cli.session import Session
    from dataplat.ledger.audit_results import AuditResults, ResultFilter


class Totals(StrEnum):
    """What results are added up by."""

    day = "day"
    month = "month"


def report(
    context: typer.Context,
    name: Name = "",
    table: Annotated[str, typer.Option(metavar="NAME", help="Of this table.")] = "",
    task: Annotated[str, typer.Option(metavar="NAME", help="Of this task.")] = "",
    partner: Annotated[str, typer.Option(metavar="ID", help="Of this partner.")] = "",
    platform: Annotated[str, typer.Option(metavar="ID", help="Of this platform.")] = "",
    batch: Annotated[str, typer.Option(metavar="NUMBER", help="Of this batch.")] = "",
    date: Annotated[str, typer.Option(metavar="YYYYMMDD", help="Of this day.")] = "",
    month: Annotated[str, typer.Option(metavar="YYYYMM", help="Of this month.")] = "",
    status: Annotated[str, typer.Option(metavar="STATUS", help="success, partial or failed.")] = "",
    totals: Annotated[
        Totals | None, typer.Option(metavar="BY", help="Sums a day or a month: day, month.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also results that a later one has replaced.")] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Most results.")] = 1000,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show the newest result of each table and date, or sums of them."""
    from dataplat.cli.audit import find_audit, setting_of
    from dataplat.ledger.audit_results import ResultFilter

    session = session_of(context)
    wanted = ResultFilter(
        table_name=table,
        task_name=task,
        partner_id=partner,
        platform_id=platform,
        batch_no=batch,
        data_date=_digits(date, "--date", "day"),
        data_month=_digits(month, "--month", "month"),
        status=status,
    )
    if totals is not None and every:
        raise SelectionError("--all", "sums are of the newest results only", effect="nothing was shown")
    setting = setting_of(session, find_audit(session, name))
    try:
        setting.results.prepare()
        if totals is None:
            _show(session, setting.results, wanted, every, limit)
        else:
            _show_totals(session, setting.results, wanted, totals)
    finally:
        setting.close()


def _show(
    session: "Session", results: "AuditResults", wanted: "ResultFilter", every: bool, limit: int
) -> None:
    found = results.find(wanted, every=every, limit=limit)
    zone = session.catalog.platform.timezone
    session.output.document({"ok": True, "results": [asdict(one) for one in found]})
    session.output.table(
        ["table", "platform", "partner", "date", "status", "rows", "files", "size", "at", "compared"],
        [
            [
                *(one.table_name, one.platform_id, one.partner_id, one.data_date or one.data_month),
                *(one.status, number(None if one.row_count < 0 else one.row_count), number(one.file_count)),
                *(size(one.total_size_bytes), moment(one.created_at, zone), one.verdict_text),
            ]
            for one in found
        ],
    )
    if len(found) == limit:
        session.output.note(f"there may be more than {limit:,}; narrow it, or give --limit")


def _show_totals(session: "Session", results: "AuditResults", wanted: "ResultFilter", totals: Totals) -> None:
    by = "data_date" if totals is Totals.day else "data_month"
    found = [dict(row) for row in results.totals(wanted, by)]
    for row in found:
        row |= {name: int(row[name] or 0) for name in ("row_count", "file_count", "total_size_bytes")}
        row["not_counted"] = int(row["not_counted"] or 0)
    session.output.document({"ok": True, "totals": found})
    session.output.table(
        [str(totals), "table", "platform", "partner", "results", "rows", "files", "size", "not counted"],
        [
            [
                *(row[by], row["table_name"], row["platform_id"], row["partner_id"], number(row["results"])),
                *(number(row["row_count"]), number(row["file_count"]), size(row["total_size_bytes"])),
                number(row["not_counted"]),
            ]
            for row in found
        ],
    )


def _digits(text: str, option: str, grain: str) -> str:
    from dataplat.plan.partition_names import parse_partition

    if not text:
        return ""
    return parse_partition(text, "day" if grain == "day" else "month", subject=option).replace("-", "")
