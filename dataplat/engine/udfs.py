"""UDFs in a session: registered by name, and shipped so that any Python worker can run them.

A session keeps its own functions, whatever its mode: on a shared server nobody sees those of another session.
Spark sends a function to its workers as a pickle. By default that names what is in a module, and the worker
imports it; here the function and everything of its own package travel by value, because a server's workers
need have neither the user's modules nor dataplat. They need Python of the same minor version, pyarrow, and
whatever else the function imports.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from pickle import PicklingError
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.errors import ParseException
from pyspark.sql import SparkSession
from pyspark.sql.pandas.functions import arrow_udf
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DataType

from dataplat.engine.translate import engine_errors
from dataplat.errors import EngineError
from dataplat.udfs import Udf
from dataplat.udfs.source import package_of

UDF_MARK = "dataplat-udf"
_REGISTERED: WeakKeyDictionary[SparkSession, dict[str, Udf]] = WeakKeyDictionary()
_ARROW_UDF: Any = arrow_udf  # its types allow for no function of any number of columns
_PICKLING = threading.Lock()


def register_udfs(session: SparkSession, udfs: Iterable[Udf], subject: str) -> None:
    """Make UDFs known to a session; one that it has already costs nothing.

    Raises:
        EngineError: The file of a UDF cannot be used, its type is none of Spark's, or it cannot be pickled.
    """
    known = _REGISTERED.setdefault(session, {})
    for udf in udfs:
        if known.get(udf.name) is not udf:
            _register(session, udf, subject)
            known[udf.name] = udf


def _register(session: SparkSession, udf: Udf, subject: str) -> None:
    try:
        held = udf.held()
    except (ValueError, OSError) as error:
        raise _unusable(subject, udf, "cannot use its file", f"{udf.file}: {error}") from error
    with engine_errors(subject), _by_value(udf.function.__module__):
        try:
            kind = DataType.fromDDL(udf.returns)
            session.udf.register(udf.name, _ARROW_UDF(_guarded(udf, held, to_arrow_type(kind)), kind))
        except ParseException as error:
            raise _unusable(subject, udf, "returns no type of Spark", udf.returns) from error
        except PicklingError as error:  # it holds a lock, a connection, an open file
            found = str(error).rpartition("Error: ")[2]
            raise _unusable(subject, udf, "cannot be sent to the engine", found) from error


def _unusable(subject: str, udf: Udf, problem: str, found: str) -> EngineError:
    return EngineError(
        subject,
        f"UDF {udf.name} {problem}",
        facts=[("found", found), ("declared", udf.function.__module__)],
        effect="nothing was read or written",
        next_steps=["dataplat check"],
    )


@contextmanager
def _by_value(module: str) -> Iterator[None]:
    """Let pickles made meanwhile hold the functions of a module's package instead of their names."""
    package = import_module(package_of(module))
    with _PICKLING:
        before = cloudpickle.list_registry_pickle_by_value()  # type: ignore[no-untyped-call]  # no types
        cloudpickle.register_pickle_by_value(package)  # type: ignore[no-untyped-call]  # no types
        try:
            yield
        finally:
            if package.__name__ not in before:
                cloudpickle.unregister_pickle_by_value(package)  # type: ignore[no-untyped-call]  # no types


def _guarded(udf: Udf, held: tuple[Any, ...], kind: pa.DataType) -> Callable[..., Any]:
    """Return the function for the workers: what goes wrong in it is told in one line that names it.

    Everything is inside, so that nothing of this module is looked for on the worker.
    """
    name, returns, module, function, mark = (
        udf.name,
        udf.returns,
        udf.function.__module__,
        udf.function,
        UDF_MARK,
    )
    takes = list(signature(function).parameters)[: -len(held) or None]

    def call(*columns: pa.Array) -> pa.Array:
        import traceback

        import pyarrow

        def told(text: str, line: int | None = None) -> RuntimeError:
            place = f"{module}:{line}" if line else module
            return RuntimeError(f"{mark}|{name}|{place}|{' '.join(text.split())[:300]}|")

        if len(columns) != len(takes):
            raise told(f"called with {len(columns)} arguments, takes {len(takes)}: {', '.join(takes)}")
        try:
            made = function(*columns, *held)
        except Exception as error:  # noqa: BLE001 - raised again, with the UDF's name
            frames = traceback.extract_tb(error.__traceback__)
            code = function.__code__
            lines = [frame.lineno for frame in frames if frame.filename == code.co_filename]
            raise told(f"{type(error).__name__}: {error}", lines[-1] if lines else None) from None
        if isinstance(made, pyarrow.ChunkedArray):
            made = made.combine_chunks()
        if not isinstance(made, pyarrow.Array):
            raise told(f"it returned {type(made).__name__}, expected a pyarrow.Array")
        if len(made) != len(columns[0]):
            raise told(f"it returned {len(made)} values for {len(columns[0])} rows")
        try:
            return made.cast(kind)
        except pyarrow.ArrowException:
            raise told(f"it returned {made.type}, declared to return {returns}") from None

    return call
