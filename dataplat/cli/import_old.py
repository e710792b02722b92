"""``dataplat import``: configuration of the systems before this one, as ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.specs.problems import Problem


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Turn configuration of older systems into ours.")
    group.callback()(_options)
    group.command("audit-yaml")(audit_yaml)
    app.add_typer(group, name="import")


def _options(_config: Config = None, _json: Json = False) -> None:
    """Turn configuration of older systems into ours."""


def audit_yaml(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="FILE", help="config.yaml of the old auditor.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A new file in config/audits/; else stdout."),
    ] = None,
    db_config: Annotated[
        Path | None,
        typer.Option("--db-config", metavar="FILE", help="db_config.yaml: its ClickHouse and its MySQL."),
    ] = None,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Turn the old auditor's config.yaml into a file of audits/.

    What was changed or left out is said on stderr. Exit codes: 0 it is a valid audit, 1 it still has the
    problems that are listed.
    """
    import yaml

    from dataplat.plan.audit_import import ConvertedAudit, convert_audit
    from dataplat.plan.connection_import import convert_connections

    shown = session_of(context).output
    converted = convert_audit(_read(old))
    if db_config is not None:
        places = convert_connections(_read(db_config))
        notes = (*converted.notes, *places.notes)
        converted = ConvertedAudit({**places.content, **converted.content}, notes)
    text = yaml.safe_dump(converted.content, sort_keys=False, allow_unicode=True, width=110)
    problems = _problems(text, str(output or "audits"))
    if output is not None:
        _write(output, text)
    shown.document(
        {
            "ok": not problems,
            "audit": converted.content,
            "notes": list(converted.notes),
            "problems": [f"{found.path}: {found.text}" for found in problems],
        }
    )
    shown.line(text.rstrip("\n") if output is None else f"written: {output}")
    for note in converted.notes:
        shown.note(note)
    for found in problems:
        shown.note(f"still wrong: {found.path}: {found.text}")
    if problems:
        raise typer.Exit(1)


def _read(path: Path) -> dict[str, Any]:
    from dataplat.specs.documents import read_document

    document = read_document(path, str(path))
    if document.problems or not isinstance(document.value, dict):
        found = [f"line {problem.line}: {problem.text}" for problem in document.problems] or ["no keys"]
        raise SelectionError(
            str(path),
            "this is no configuration that can be read",
            facts=[("found", "\n".join(found))],
            effect="nothing was written",
        )
    return document.value


def _problems(text: str, name: str) -> "list[Problem]":
    """Return what ``check`` would say of the new file alone; sources and other tables are not known here."""
    from pydantic import ValidationError

    from dataplat.specs.audit import AuditSpec
    from dataplat.specs.audit_checks import check_audits
    from dataplat.specs.documents import parse_document
    from dataplat.specs.explain import explain

    document = parse_document(text, name, Path(name))
    try:
        audit = AuditSpec.model_validate(document.value).declared_in(document.declared)
    except ValidationError as error:
        return list(explain(error, AuditSpec, document.value, document.declared))
    return list(check_audits([audit], (), ()))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise SelectionError(
            "--output",
            f"{path} cannot be written",
            facts=[("found", str(error))],
            effect="nothing was written",
        ) from error
