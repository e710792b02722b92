"""Conditions on partition columns, evaluated: which partitions can a filter let through?

A condition becomes a function once and is then asked for each partition there could be. Everything in it
that is no partition column is either a constant, which is computed once, or unknown: it depends on rows, and
then the condition may hold. So the answer is never too few partitions, and exact wherever a filter compares
partition columns with what the template and Spark's date functions give.

``current_date()`` and its kin are unknown too: what a partition reads must not depend on the day it is made.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date

from sqlglot import exp

from dataplat.plan.models import values
from dataplat.plan.models.values import UNKNOWN, Value

Row = Mapping[str, str]
Condition = Callable[[Row], Value]
Literals = Mapping[int, str]
_AS_WRITTEN: Literals = {}


class _Constant:
    """A part of a condition that is the same for every partition."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __call__(self, row: Row) -> Value:
        return self.value


def compile_condition(node: exp.Expr, literals: Literals = _AS_WRITTEN) -> Condition:
    """Return the condition as a function of the partition columns.

    Columns without a table are unknown; a column ``t.c`` is what a row has under ``t.c``.

    Args:
        node: The condition.
        literals: What stands in place of a literal, by the position where it begins: the same SQL rendered
            for another partition has other literals, and is not parsed again for it.
    """
    if isinstance(node, exp.Column):
        name = f"{node.table}.{node.name}"
        return (lambda row: row.get(name, UNKNOWN)) if node.table else _Constant(UNKNOWN)
    if isinstance(node, exp.Literal):
        return _Constant(_literal(node, literals))
    if isinstance(node, exp.Boolean):
        return _Constant(bool(node.this))
    if isinstance(node, exp.Null):
        return _Constant(None)
    if isinstance(node, exp.Paren | exp.Alias):
        return compile_condition(node.this, literals)
    operands = _operands(node)
    if operands is None:
        return _Constant(UNKNOWN)
    parts, combine = operands
    conditions = [compile_condition(part, literals) for part in parts]
    if all(isinstance(condition, _Constant) for condition in conditions):
        return _Constant(combine(*(condition({}) for condition in conditions)))
    if (quick := _plainly(node, conditions)) is not None:
        return quick
    return lambda row: combine(*(condition(row) for condition in conditions))


def may_hold(value: Value) -> bool:
    """Return whether a condition lets a row through, or may."""
    return value is not False and value is not None


def _literal(node: exp.Literal, literals: Literals) -> Value:
    text = literals.get(node.meta.get("start", -1), str(node.this))
    if node.is_string:
        return text
    number = values.as_int(text)
    return UNKNOWN if number is None else number


def _plainly(node: exp.Expr, conditions: list[Condition]) -> Condition | None:
    """Return the condition without detours where it compares a partition column with texts or with days."""
    plain = _PLAIN.get(type(node))
    _column, *constants = conditions
    if plain is None or not isinstance(node.this, exp.Column) or not node.this.table:
        return None
    fixed = [condition.value for condition in constants if isinstance(condition, _Constant)]
    name = f"{node.this.table}.{node.this.name}"
    if len(fixed) != len(constants):
        return None
    if all(isinstance(value, str) for value in fixed):
        return lambda row: plain(row[name], *fixed) if name in row else UNKNOWN
    if all(type(value) is date for value in fixed):
        return lambda row: _day_holds(plain, row, name, fixed)
    return None


def _day_holds(plain: Callable[..., bool], row: Row, name: str, days: list[Value]) -> Value:
    if name not in row:
        return UNKNOWN
    day = values.day_of_text(row[name])
    return None if day is None else plain(day, *days)


_Operands = tuple[list[exp.Expr], Callable[..., Value]]


def _operands(node: exp.Expr) -> _Operands | None:
    if isinstance(node, exp.In):
        return None if node.args.get("query") else ([node.this, *node.expressions], _among)
    if isinstance(node, exp.Cast):
        convert = values.cast_to(node.to.this.name)
        return ([node.this], _strict(convert)) if convert else None
    if isinstance(node, exp.Case):
        return _case(node)
    if isinstance(node, exp.Interval):
        return _with_unit(node, values.interval)
    if isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        return _with_unit(node, values.truncated)
    if isinstance(node, exp.TsOrDsAdd) and node.text("unit").upper() not in ("", "DAY"):
        return None
    if isinstance(node, exp.TsOrDsToDate) and node.args.get("format"):
        return [node.this, node.args["format"]], _strict(lambda *args: values.as_date(values.parsed(*args)))
    if isinstance(node, exp.Pad) and not node.args.get("is_left"):
        return None
    if type(node) in _LISTS:
        parts = [*([node.this] if isinstance(node.args.get("this"), exp.Expr) else []), *node.expressions]
        return parts, _LISTS[type(node)]
    if type(node) not in _RULES:
        return None
    names, combine = _RULES[type(node)]
    found = [node.args.get(name) for name in names]
    return [part for part in found if isinstance(part, exp.Expr)], combine


def _with_unit(node: exp.Expr, combine: Callable[[Value, str], Value]) -> _Operands | None:
    unit = node.text("unit")
    if not unit or not isinstance(node.this, exp.Expr):
        return None
    return [node.this], _strict(lambda value: combine(value, unit))


def _case(node: exp.Case) -> _Operands | None:
    if node.this is not None:
        return None
    parts = [part for branch in node.args["ifs"] for part in (branch.this, branch.args["true"])]
    default = node.args.get("default") or exp.Null()
    return [*parts, default], _choose


def _strict(combine: Callable[..., Value]) -> Callable[..., Value]:
    def call(*args: Value) -> Value:
        if any(arg is UNKNOWN for arg in args):
            return UNKNOWN
        if any(arg is None for arg in args):
            return None
        try:
            return combine(*args)
        except OverflowError:
            return None

    return call


def _comparison(holds: Callable[[int, int], bool]) -> Callable[..., Value]:
    def call(left: Value, right: Value) -> Value:
        order = values.compare(left, right)
        return holds(order, 0) if isinstance(order, int) else order

    return _strict(call)


_EQUAL, _AT_LEAST, _AT_MOST = _comparison(operator.eq), _comparison(operator.ge), _comparison(operator.le)


def _not(value: Value) -> Value:
    return not value if isinstance(value, bool) else (None if value is None else UNKNOWN)


def _and(*parts: Value) -> Value:
    if any(part is False for part in parts):
        return False
    if any(part is None for part in parts):
        return None
    return True if all(part is True for part in parts) else UNKNOWN


def _or(*parts: Value) -> Value:
    return _not(_and(*map(_not, parts)))


def _equal(left: Value, right: Value) -> Value:
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        return _and(*map(_EQUAL, left, right))
    return _EQUAL(left, right)


def _among(value: Value, *choices: Value) -> Value:
    return _or(*(_equal(value, choice) for choice in choices))


def _between(value: Value, low: Value, high: Value) -> Value:
    return _and(_AT_LEAST(value, low), _AT_MOST(value, high))


def _choose(*parts: Value) -> Value:
    *branches, default = parts
    for condition, value in zip(branches[::2], branches[1::2], strict=True):
        if condition is True:
            return value
        if condition is UNKNOWN:
            return UNKNOWN
    return default


def _first(*parts: Value) -> Value:
    return next((part for part in parts if part is not None), None)


def _same(left: Value, right: Value) -> Value:
    return left is right if left is None or right is None else _EQUAL(left, right)


def _is(left: Value, right: Value) -> Value:
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    return left is right


def _joined(*parts: Value) -> Value:
    texts = [values.as_text(part) for part in parts]
    return None if None in texts else "".join(map(str, texts))


_PLAIN: dict[type[exp.Expr], Callable[..., bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.Between: lambda value, low, high: low <= value <= high,
    exp.In: lambda value, *choices: value in choices,
}
_BINARY = ("this", "expression")
_RULES: dict[type[exp.Expr], tuple[tuple[str, ...], Callable[..., Value]]] = {
    exp.EQ: (_BINARY, _equal),
    exp.NEQ: (_BINARY, _comparison(operator.ne)),
    exp.LT: (_BINARY, _comparison(operator.lt)),
    exp.LTE: (_BINARY, _AT_MOST),
    exp.GT: (_BINARY, _comparison(operator.gt)),
    exp.GTE: (_BINARY, _AT_LEAST),
    exp.NullSafeEQ: (_BINARY, _same),
    exp.Is: (_BINARY, _is),
    exp.Between: (("this", "low", "high"), _between),
    exp.And: (_BINARY, _and),
    exp.Or: (_BINARY, _or),
    exp.Not: (("this",), _not),
    exp.If: (("this", "true", "false"), lambda test, yes, no=None: _choose(test, yes, no)),
    exp.Like: (_BINARY, _strict(values.like)),
    exp.Add: (_BINARY, _strict(values.plus)),
    exp.Sub: (_BINARY, _strict(values.minus)),
    exp.Mul: (_BINARY, _strict(values.times)),
    exp.Neg: (("this",), _strict(values.negative)),
    exp.DPipe: (_BINARY, _strict(_joined)),
    exp.TsOrDsAdd: (_BINARY, _strict(values.add_days)),
    exp.AddMonths: (_BINARY, _strict(values.add_months)),
    exp.TsOrDsToDate: (("this",), _strict(values.as_date)),
    exp.TimeStrToTime: (("this",), _strict(values.as_moment)),
    exp.TimeToStr: (("this", "format"), _strict(values.formatted)),
    exp.StrToTime: (("this", "format"), _strict(values.parsed)),
    exp.StrToUnix: (("this", "format"), _strict(values.to_epoch)),
    exp.UnixToStr: (("this", "format"), _strict(values.from_epoch)),
    exp.LastDay: (("this",), _strict(values.last_day)),
    exp.DateDiff: (_BINARY, _strict(values.days_between)),
    exp.Year: (("this",), _strict(lambda value: getattr(values.as_date(value), "year", None))),
    exp.Month: (("this",), _strict(lambda value: getattr(values.as_date(value), "month", None))),
    exp.Day: (("this",), _strict(lambda value: getattr(values.as_date(value), "day", None))),
    exp.Substring: (("this", "start", "length"), _strict(values.part)),
    exp.Left: (_BINARY, _strict(lambda text, count: values.part(text, 1, count))),
    exp.Right: (_BINARY, _strict(lambda text, count: values.part(text, values.negative(count)))),
    exp.Replace: (
        ("this", "expression", "replacement"),
        _strict(lambda text, old, new="": (values.as_text(text) or "").replace(old, new) if old else text),
    ),
    exp.Pad: (("this", "expression", "fill_pattern"), _strict(values.padded)),
    exp.StartsWith: (
        _BINARY,
        _strict(lambda text, start: (values.as_text(text) or "").startswith(values.as_text(start) or "")),
    ),
}
_LISTS: dict[type[exp.Expr], Callable[..., Value]] = {
    exp.Concat: _strict(_joined),
    exp.Coalesce: _first,
    exp.Tuple: lambda *parts: parts,
}
