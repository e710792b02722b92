"""Checks of how many rows there are, alone and in proportion."""

from collections.abc import Sequence

from dataplat.audit.kinds.base import (
    Aggregate,
    Case,
    Finding,
    Kind,
    Offenders,
    Published,
    Question,
    Value,
    not_comparable,
    percent,
    whole,
)
from dataplat.audit.kinds.columns import ROWS
from dataplat.plan.check_sql import render_check_sql
from dataplat.plan.ddl import quote_identifier
from dataplat.specs import MinRowsCheck, ShareCheck, VolumeCheck


class MinRows(Kind[MinRowsCheck]):
    """Costs nothing: the files were counted."""

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        rows, least = case.partition.rows, self.check.rows
        message = "" if rows >= least else f"expected at least {least:,} rows, found {rows:,}"
        return Finding(rows >= least, {"rows": rows, "at_least": least}, message)


class Volume(Kind[VolumeCheck]):
    """Costs nothing: earlier partitions are in the ledger. The first one has nothing to compare with."""

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        check, rows = self.check, case.partition.rows
        past = case.past(check.against or check.same_weekday or 0, check.same_weekday is not None)
        if not past:
            return Finding(True, {"rows": rows}, "no earlier partition to compare with")
        usual = sum(one.rows for one in past) / len(past)
        low = 0.0 if check.drop is None else usual * (1 - check.drop)
        high = None if check.rise is None else usual * (1 + check.rise)
        passed = low <= rows and (high is None or rows <= high)
        band = f"{low:,.0f} to {high:,.0f}" if high is not None else f"at least {low:,.0f}"
        of = f"average of {len(past)}{' weeks' if check.same_weekday else ''}: {usual:,.0f}"
        message = "" if passed else f"expected {band} rows ({of}), found {rows:,}"
        return Finding(passed, {"rows": rows, "usual": round(usual, 1), "compared": len(past)}, message)


class Share(Kind[ShareCheck]):
    """One group is an aggregate of the one pass; each value of a column as a group is a query of its own."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        if self.check.by:
            return ()
        own_total = () if self.check.of else (self._count("true"),)
        return [self._count(self._where(case)), *own_total]

    def question(self, case: Case) -> Question | None:
        there = self._there(case)
        if there and there.absent:
            return None
        if self.check.by:
            values = ("count(1)", f"count_if({self._out_of_bounds})", "min(__share)", "max(__share)")
            return Question(values, self._groups(case, there))
        if there and (there.rows is None or self._sum):
            return Question((self._sum or "count(1)",), there.sql)
        return None

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        there = self._there(case)
        if there and there.absent:
            return not_comparable(there)
        if self.check.by:
            return self._judge_groups(self.check.by, values)
        total = values[1] if len(values) > 1 else (there.rows if there else 0)
        return self._judge_one(whole(values[0]), float(total or 0))

    def offenders(self, case: Case) -> Offenders | None:
        there = self._there(case)
        if not self.check.by or (there and there.absent):
            return None
        shown = "concat(round(__share * 100, 2), '%')"
        rows = (
            f"(SELECT {quote_identifier(self.check.by)}, __n AS count, {shown} AS share"
            f" FROM {self._groups(case, there)} WHERE {self._out_of_bounds})"
        )
        return Offenders(rows, (self.check.by, "count", "share"))

    def _judge_one(self, count: int, total: float) -> Finding:
        numbers = {"count": count, "total": int(total) if total.is_integer() else total}
        if not count and not total:
            return Finding(True, numbers, "no row to take a share of")
        if not total:
            return Finding(False, numbers, f"{count:,} of 0, {self._bounds}")
        share = count / total
        passed = self._low <= share <= self._high
        message = f"{count:,} of {total:,.10g} is {percent(share)}, {self._bounds}"
        return Finding(passed, numbers | {"share": round(share, 6)}, "" if passed else message)

    def _judge_groups(self, by: str, values: Sequence[Value]) -> Finding:
        groups, bad = whole(values[0]), whole(values[1])
        numbers: dict[str, int | float | str] = {"groups": groups, "outside": bad}
        least, greatest = values[2], values[3]
        if least is None or greatest is None:
            message = f"{bad:,} of {groups:,} values of {by} are a share of 0"
            return Finding(not bad, numbers, message if bad else "")
        numbers |= {"least": round(float(least), 6), "greatest": round(float(greatest), 6)}
        found = f"shares from {percent(float(least))} to {percent(float(greatest))}"
        message = f"{bad:,} of {groups:,} values of {by} are outside, {found}, {self._bounds}" if bad else ""
        return Finding(not bad, numbers, message)

    def _there(self, case: Case) -> Published | None:
        return case.published(self.check.of.table) if self.check.of else None

    def _groups(self, case: Case, there: Published | None) -> str:
        by = quote_identifier(self.check.by or "")
        total = f"{self._sum or 'count(1)'} AS __total FROM {there.sql}" if there else ""
        if there and there.rows is not None and not self._sum:
            total = f"{there.rows} AS __total"
        own = f"{self._count('true').sql} AS __total FROM {case.staged}"
        return (
            f"(SELECT g.*, CAST(g.__n AS DOUBLE) / nullif(CAST(t.__total AS DOUBLE), 0) AS __share"
            f" FROM (SELECT {by}, {self._count('true').sql} AS __n FROM {case.staged} GROUP BY {by}) g"
            f" CROSS JOIN (SELECT {total or own}) t)"
        )

    def _count(self, condition: str) -> Aggregate:
        if self.check.distinct:
            name = quote_identifier(self.check.distinct)
            counted = name if condition == "true" else f"IF({condition}, {name}, NULL)"
            return Aggregate(f"count(DISTINCT {counted})")
        return ROWS if condition == "true" else Aggregate(f"count_if({condition})")

    def _where(self, case: Case) -> str:
        if self.check.where is None:
            return "true"
        text = render_check_sql(self.spec, self.check, "where", self.check.where, case.partition.key)
        return f"({text}\n)"

    @property
    def _sum(self) -> str:
        return f"sum({quote_identifier(self.check.of.sum)})" if self.check.of and self.check.of.sum else ""

    @property
    def _low(self) -> float:
        return self.check.at_least or 0.0

    @property
    def _high(self) -> float:
        return float("inf") if self.check.at_most is None else self.check.at_most

    @property
    def _out_of_bounds(self) -> str:
        high = "" if self.check.at_most is None else f" OR __share > {self.check.at_most!r}D"
        return f"(__share IS NULL OR __share < {self._low!r}D{high})"

    @property
    def _bounds(self) -> str:
        low, high = self.check.at_least, self.check.at_most
        if low is not None and high is not None:
            return f"expected {percent(low)} to {percent(high)}"
        return (
            f"expected at most {percent(self._high)}" if low is None else f"expected at least {percent(low)}"
        )
