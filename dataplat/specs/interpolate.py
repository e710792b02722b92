"""``${NAME}`` and ``${NAME:-default}`` in ordinary values, replaced once, when the file is loaded.

Keys that take secrets are left as written (``specs.secrets``), except an SQLite URL, which holds none. A
variable whose name says that it is a secret is refused anywhere else, because there its value would be
printed. ``$${NAME}`` is the text ``${NAME}``; ``$[…]`` is a date expression and none of our business.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from dataplat.specs.documents import Declared
from dataplat.specs.problems import Loc, Problem, did_you_mean
from dataplat.specs.secrets import VARIABLE

_TOKEN = re.compile(r"(?P<dollars>\$+)(?P<body>\{[^}]*\}?)")
_LOWER_CASE = re.compile(r"\{[a-z_][a-z0-9_]*\}")
_SECRET_VARIABLE = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN)(_KEY)?$", re.IGNORECASE)


def interpolate(
    value: Any,
    declared: Declared,
    environ: Mapping[str, str],
    secret_keys: Collection[str],
    *,
    keep_lower_case: bool = False,
) -> tuple[Any, list[Problem]]:
    """Return the value with its variables replaced, and a problem for each that cannot be.

    ``secret_keys`` are paths, ``password`` or ``tasks.password``. With ``keep_lower_case``, ``${name}``
    stays as it is: there it is filled in later, and only ``${NAME}`` is of the environment.
    """
    work = _Interpolation(declared, environ, keep_lower_case, secret_keys)
    if not isinstance(value, dict):
        return value, []
    return work.fill(value, ()), work.problems


def _holds_no_secret(item: object) -> bool:
    return isinstance(item, str) and item.startswith("sqlite:")


class _Interpolation:
    def __init__(
        self,
        declared: Declared,
        environ: Mapping[str, str],
        keep_lower_case: bool,
        secret_keys: Collection[str],
    ) -> None:
        self.declared = declared
        self.environ = environ
        self.keep_lower_case = keep_lower_case
        self.secret_keys = secret_keys
        self.problems: list[Problem] = []

    def fill(self, value: Any, loc: Loc) -> Any:
        if isinstance(value, str):
            return _TOKEN.sub(lambda match: self._replace(match, loc), value) if "${" in value else value
        if isinstance(value, dict):
            return {key: self._item(item, (*loc, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, (*loc, index)) for index, item in enumerate(value)]
        return value

    def _item(self, value: Any, loc: Loc) -> Any:
        if ".".join(map(str, loc)) in self.secret_keys and not _holds_no_secret(value):
            return value
        return self.fill(value, loc)

    def _replace(self, match: re.Match[str], loc: Loc) -> str:
        dollars, body = match["dollars"], match["body"]
        if len(dollars) > 1:
            return dollars[1:] + body
        if self.keep_lower_case and _LOWER_CASE.fullmatch(body):
            return match[0]
        variable = VARIABLE.fullmatch("$" + body)
        if not variable:
            self.problems.append(
                self.declared.problem(loc, f"'${body}' is not ${{NAME}} or ${{NAME:-default}}")
            )
            return ""
        name, default = variable["name"], variable["default"]
        if _SECRET_VARIABLE.search(name):
            text = f"${{{name}}} is a secret by its name, and this value is printed; rename it if it is none"
            self.problems.append(self.declared.problem(loc, text))
            return ""
        found = self.environ.get(name)
        if found is None and default is None:
            hint = did_you_mean(name, self.environ) or f"; set it, or write ${{{name}:-default}}"
            self.problems.append(self.declared.problem(loc, f"environment variable {name} is not set{hint}"))
            return ""
        return found or default or ""
