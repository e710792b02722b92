"""``dataplat test``: the tests of models, run on given rows."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED, describe
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count
from dataplat.cli.progress import Counter
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.lifecycle.model_tests import ModelTestResult


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("test")(run_tests)


def run_tests(
    context: typer.Context,
    select: Annotated[
        str,
        typer.Argument(metavar="SELECT", help="dw.t, 'dw.*', layer:dw, several by comma; else all models."),
    ] = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Run the tests of models: given rows in, expected rows out.

    A test is in dw_x.test.yaml beside dw_x.yaml. The SQL and the UDFs are those of production; its upstreams
    are the given rows. Only an engine is needed: no warehouse, ledger or metastore is touched. Exit 1 if a
    test fails.
    """
    session = session_of(context)
    results = _run(session, select)
    _show(session, results)
    if any(result.verdict != "passed" for result in results):
        raise typer.Exit(FAILED)


def _run(session: Session, select: str) -> "list[ModelTestResult]":
    from dataplat.cli.check import load_checked

    catalog = load_checked(session)
    from dataplat.lifecycle.model_tests import run_model_tests, select_tests

    tests = select_tests(catalog, select)
    results = []
    with Counter(session.output, len(tests), "starting the engine") as counter:
        for result in run_model_tests(session.platform, tests):
            results.append(result)
            counter.advance(f"{result.test.spec.table}  {result.test.name}")
    return results


def _show(session: Session, results: "list[ModelTestResult]") -> None:
    output = session.output
    bad = [result for result in results if result.verdict != "passed"]
    output.document({"ok": not bad, "tests": [_document(result) for result in results]})
    output.table(
        ["model", "test", "verdict", "seconds"],
        [
            [result.test.spec.table, result.test.name, result.verdict, f"{result.seconds:.1f}"]
            for result in results
        ],
    )
    for result in bad:
        output.note(f"\n{result.test.declared} {result.test.name}")
        output.note(result.diff.render() if result.diff is not None else str(result.error))
    passed = len(results) - len(bad)
    output.line(f"\n{count(passed)} of {count(len(results))} passed")


def _document(result: "ModelTestResult") -> dict[str, Any]:
    test, diff = result.test, result.diff
    document: dict[str, Any] = {
        "model": test.spec.table,
        "test": test.name,
        "partition": test.case.partition,
        "declared": test.declared,
        "verdict": result.verdict,
        "seconds": round(result.seconds, 3),
    }
    if diff is not None:
        document |= {"expected": diff.expected, "made": diff.made, "out_of_order": diff.out_of_order}
        document |= {
            kind: [dict(zip(diff.columns, row, strict=True)) for row in rows]
            for kind, rows in (("missing", diff.missing), ("surplus", diff.surplus))
        }
    if result.error is not None:
        document["error"] = describe(result.error)
    return document
