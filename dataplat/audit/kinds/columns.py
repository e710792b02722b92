"""Checks of what stands in columns: all of them aggregates of the one pass."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dataplat.audit.kinds.base import (
    Aggregate,
    Case,
    Finding,
    Kind,
    Offenders,
    Value,
    counted_rows,
    distinct,
    percent,
    whole,
)
from dataplat.plan.ddl import quote_identifier, quote_literal
from dataplat.specs import AcceptedValuesCheck, FreshCheck, MatchRateCheck, NotNullCheck, UniqueCheck

ROWS = Aggregate("count(1)")


class NotNull(Kind[NotNullCheck]):
    """How many rows are NULL, column by column."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        return [Aggregate(f"count_if({quote_identifier(column)} IS NULL)") for column in self.check.columns]

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        nulls = dict(zip(self.check.columns, map(whole, values), strict=True))
        bad = [f"{column} is NULL in {counted_rows(count)}" for column, count in nulls.items() if count]
        numbers = {f"null_{column}": count for column, count in nulls.items()}
        return Finding(not bad, numbers, ", ".join(bad))

    def offenders(self, case: Case) -> Offenders:
        nulls = " OR ".join(f"{quote_identifier(column)} IS NULL" for column in self.check.columns)
        return self.rows_where(case, nulls)


class Unique(Kind[UniqueCheck]):
    """How many rows there are beyond the first of each combination."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        return [ROWS, distinct(self.check.columns)]

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        repeated = whole(values[0]) - whole(values[1])
        verb = "repeats" if repeated == 1 else "repeat"
        message = f"{counted_rows(repeated)} {verb} {', '.join(self.check.columns)}" if repeated else ""
        return Finding(repeated == 0, {"duplicates": repeated}, message)

    def offenders(self, case: Case) -> Offenders:
        names = ", ".join(map(quote_identifier, self.check.columns))
        many = f"(SELECT {names}, count(1) AS rows FROM {case.staged} GROUP BY {names} HAVING count(1) > 1)"
        return Offenders(many, (*self.check.columns, "rows"))


class AcceptedValues(Kind[AcceptedValuesCheck]):
    """How many rows hold another value."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        return [Aggregate(f"count_if({self._other})")]

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        rejected = whole(values[0])
        message = f"{self.check.column} is none of the {len(self.check.values)} accepted values in "
        return Finding(
            rejected == 0, {"rejected": rejected}, message + counted_rows(rejected) if rejected else ""
        )

    def offenders(self, case: Case) -> Offenders:
        return self.rows_where(case, self._other, self.check.column)

    @property
    def _other(self) -> str:
        accepted = ", ".join(map(quote_literal, self.check.values))
        return f"CAST({quote_identifier(self.check.column)} AS STRING) NOT IN ({accepted})"


class MatchRate(Kind[MatchRateCheck]):
    """Which share of the rows matches. A partition without rows has none, and passes."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        return [ROWS, Aggregate(f"count_if({self._match})")]

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        rows, matched = map(whole, values)
        if not rows:
            return Finding(True, {"rows": 0, "matched": 0}, "no row to match")
        rate = matched / rows
        numbers: dict[str, int | float | str] = {"rows": rows, "matched": matched, "rate": round(rate, 6)}
        expected = self._expected(case, numbers)
        broken = [text for least, text in expected if rate < least]
        verb = "match" if self.check.pattern else "have a value"
        found = f"{matched:,} of {counted_rows(rows)} {verb} in {self.check.column}: {percent(rate)}"
        return Finding(not broken, numbers, f"{found}, {', '.join(broken)}" if broken else "")

    def offenders(self, case: Case) -> Offenders:
        return self.rows_where(case, f"NOT coalesce({self._match}, false)", self.check.column)

    def _expected(self, case: Case, numbers: dict[str, int | float | str]) -> list[tuple[float, str]]:
        check = self.check
        expected = []
        if check.at_least is not None:
            expected.append((check.at_least, f"expected at least {percent(check.at_least)}"))
        if check.drop is not None:
            past = [one.numbers(check.name).get("rate") for one in case.past(check.against, False)]
            rates = [float(rate) for rate in past if rate is not None]
            if rates:
                usual = sum(rates) / len(rates)
                numbers |= {"usual": round(usual, 6), "compared": len(rates)}
                least = usual * (1 - check.drop)
                text = f"expected at least {percent(least)} (average of {len(rates)}: {percent(usual)})"
                expected.append((least, text))
        return expected

    @property
    def _match(self) -> str:
        name = quote_identifier(self.check.column)
        if self.check.pattern is None:
            return f"{name} IS NOT NULL"
        return f"CAST({name} AS STRING) RLIKE {quote_literal(self.check.pattern)}"


class Fresh(Kind[FreshCheck]):
    """How long before the end of the partition its newest row is. No value at all is not fresh."""

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        newest = f"try_cast(max({quote_identifier(self.check.column)}) AS TIMESTAMP)"
        return [Aggregate(f"unix_micros({newest})", empty=None)]

    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        column, (micros,) = self.check.column, values
        if micros is None:
            return Finding(False, {}, f"no value of {column} is a time")
        ends = case.partition.ends
        newest = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=whole(micros))
        age = ends.astimezone(UTC) - newest
        if column.lower() in map(str.lower, self.spec.sensitive):
            message = f"{column} ends too long before the partition does, allowed {_long(self.check.within)}"
            return Finding(age <= self.check.within, {}, "" if age <= self.check.within else message)
        shown = newest.astimezone(ends.tzinfo).replace(tzinfo=None).isoformat(" ", "seconds")
        numbers: dict[str, int | float | str] = {"newest": shown, "age_seconds": int(age.total_seconds())}
        if age <= self.check.within:
            return Finding(True, numbers)
        found = f"the newest {column} is {shown}, {_long(age)} before the partition ends"
        return Finding(False, numbers, f"{found}, allowed {_long(self.check.within)}")


def _long(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else ""]
    return " ".join(part for part in parts if part)
