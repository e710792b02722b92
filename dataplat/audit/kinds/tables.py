"""Checks that look at other tables: each is a query of its own, about all partitions at once."""

from collections.abc import Sequence

from dataplat.audit.kinds.base import (
    Aggregate,
    Case,
    Finding,
    Kind,
    Offenders,
    Question,
    Value,
    counted_rows,
    distinct,
    not_comparable,
    percent,
    whole,
)
from dataplat.audit.kinds.columns import ROWS
from dataplat.plan.check_sql import may_show, render_check_sql, tables_read
from dataplat.plan.ddl import quote_identifier
from dataplat.specs import FanOutCheck, ReferentialCheck, SqlCheck


class FanOut(Kind[FanOutCheck]):
    """Rows for one row or one key. No query at all where the ledger knows the other table's rows."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        return [ROWS, distinct(self.check.per)] if self.check.per else [ROWS]

    def question(self, case: Case) -> Question | None:
        if self.check.of is None:
            return None
        there = case.published(self.check.of)
        if there.absent:
            return None
        if self.check.per:
            return Question(("count(1)", distinct(self.check.per).sql), there.sql)
        return Question(("count(1)",), there.sql) if there.rows is None else None

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        check = self.check
        if check.of is None:
            return self._judge(whole(values[0]), whole(values[1]), f"distinct {', '.join(check.per)}")
        there = case.published(check.of)
        if there.absent:
            return not_comparable(there)
        if not check.per:
            rows_there = whole(values[1]) if there.rows is None else there.rows
            return self._judge(whole(values[0]), rows_there, f"rows of {check.of}")
        rows, keys, rows_there, keys_there = map(whole, values)
        each_there = rows_there / keys_there if keys_there else 0
        found = f"{rows_there:,} rows for {keys_there:,} in {check.of}"
        return self._judge(rows, keys, f"distinct {', '.join(check.per)}", each_there, found)

    def _judge(self, rows: int, base: int, of_what: str, usual: float = 1.0, compared: str = "") -> Finding:
        check = self.check
        numbers: dict[str, int | float | str] = {"rows": rows, "base": base}
        if not rows:
            passed = not (check.at_least and base)
            return Finding(passed, numbers, "" if passed else f"no row for {base:,} {of_what}")
        if not base or not usual:
            return Finding(False, numbers, f"{counted_rows(rows)} for {base:,} {of_what}{_also(compared)}")
        ratio = rows / base / usual
        numbers["ratio"] = round(ratio, 6)
        passed = ratio <= check.at_most and (check.at_least is None or ratio >= check.at_least)
        bounds = f"at most {check.at_most:g}"
        if check.at_least is not None:
            bounds = f"{check.at_least:g} to {check.at_most:g}"
        found = f"{counted_rows(rows)} for {base:,} {of_what}{_also(compared)}"
        return Finding(passed, numbers, "" if passed else f"{found}: {ratio:.4g}, expected {bounds}")


class Referential(Kind[ReferentialCheck]):
    """How many rows lead nowhere, of those that lead anywhere at all."""

    def question(self, case: Case) -> Question | None:
        if case.published(self.check.of).absent:
            return None
        return Question(("count(1)", "count_if(__there IS NULL)"), self._joined(case))

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        there = case.published(self.check.of)
        if there.absent:
            return not_comparable(there)
        rows, missing = map(whole, values)
        share = missing / rows if rows else 0.0
        passed = share <= self.check.missing
        names = f"{self.check.of}({', '.join(self.check.columns_there)})"
        message = (
            f"{', '.join(self.check.columns)} of {missing:,} in {counted_rows(rows)} is not in {names}:"
            f" {percent(share)}, allowed {percent(self.check.missing)}"
        )
        numbers = {"rows": rows, "missing": missing, "share": round(share, 6)}
        return Finding(passed, numbers, "" if passed else message)

    def offenders(self, case: Case) -> Offenders | None:
        if case.published(self.check.of).absent:
            return None
        shown = tuple(dict.fromkeys([*self.spec.key, *self.check.columns]))
        return Offenders(f"(SELECT * FROM {self._joined(case)} WHERE __there IS NULL)", shown)

    def _joined(self, case: Case) -> str:
        here = [quote_identifier(name) for name in self.check.columns]
        there = [quote_identifier(name) for name in self.check.columns_there]
        names = ", ".join(f"{name} AS __k{index}" for index, name in enumerate(there))
        joined = " AND ".join(f"s.{name} = o.__k{index}" for index, name in enumerate(here))
        filled = " AND ".join(f"{name} IS NOT NULL" for name in here)
        other = case.published(self.check.of).sql
        return (
            f"(SELECT s.*, o.__there FROM (SELECT * FROM {case.staged} WHERE {filled}) s LEFT JOIN"
            f" (SELECT DISTINCT {names}, true AS __there FROM {other}) o ON {joined})"
        )


class Sql(Kind[SqlCheck]):
    """How many rows the query returns. What it returns is shown by the table's key only.

    Keys are not shown if a sensitive column could hide behind the name of one.
    """

    def question(self, case: Case) -> Question:
        return Question(("count(1)",), f"({self._query(case)}\n)")

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        found = whole(values[0])
        return Finding(not found, {"found": found}, f"{counted_rows(found)} found" if found else "")

    def offenders(self, case: Case) -> Offenders | None:
        query = self._query(case)
        hidden = {*self.spec.sensitive}
        for table in tables_read(query):
            hidden |= {*case.published(table).sensitive}
        return Offenders(f"({query}\n)") if may_show(query, hidden) else None

    def _query(self, case: Case) -> str:
        key = case.partition.key
        return render_check_sql(self.spec, self.check, "query", self.check.query, key, case.staged)


def _also(text: str) -> str:
    return f", against {text}" if text else ""
