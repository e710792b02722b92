"""How a user-defined function is declared: its name, what it returns, and the file that it reads."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, eq=False)
class Udf:
    """A function that SQL can call by its name, in every engine mode.

    Attributes:
        name: What SQL calls it; lower case, no database before it.
        returns: Spark's name of the type of its result: ``string``, ``decimal(10,2)``, ``struct<a: int>``.
        function: Takes one ``pyarrow.Array`` for each argument, and what ``read`` returned behind them if it
            reads a file; returns an array of the same length. Runs in Spark's Python workers.
        file: A file that it works with, such as a table to look things up in. ``udf_files`` of platform.yaml
            names another one in its place.
        read: Makes of the file what the function gets. Runs once for each process, not in the workers; raises
            ``ValueError`` for a file that it cannot use.
        version: Raised by hand where the results change without a change of the source or of the file.
    """

    name: str
    returns: str
    function: Callable[..., Any]
    file: Path | None = None
    read: Callable[[Path], Any] | None = None
    version: str = ""
    _held: dict[Path, Any] = field(default_factory=dict, repr=False)

    def __call__(self, *arrays: Any) -> Any:
        """Apply the function in this process: how a unit test of it looks."""
        return self.function(*arrays, *self.held())

    def held(self) -> tuple[Any, ...]:
        """Return what the function gets behind its arguments: what was read of the file, or nothing.

        Raises:
            ValueError: ``read`` cannot use the file.
            OSError: The file cannot be read.
        """
        if self.file is None or self.read is None:
            return ()
        if self.file not in self._held:
            self._held[self.file] = self.read(self.file)
        return (self._held[self.file],)


def udf(
    *,
    returns: str,
    name: str = "",
    file: Path | None = None,
    read: Callable[[Path], Any] | None = None,
    version: str = "",
) -> Callable[[Callable[..., Any]], Udf]:
    """Declare a function as one that SQL can call. The arguments are the attributes of ``Udf``.

    Without ``name`` SQL calls it what Python calls it.

    Raises:
        ValueError: The name is none that SQL can call, or ``file`` and ``read`` do not come together.
    """

    def declare(function: Callable[..., Any]) -> Udf:
        called = name or function.__name__
        if not _NAME.fullmatch(called):
            raise ValueError(f"'{called}' is no name of a UDF: lower-case letters, digits and _")
        if (file is None) != (read is None):
            raise ValueError(f"UDF {called}: `file` and `read` go together")
        return Udf(called, returns, function, file, read, version)

    return declare
