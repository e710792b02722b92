"""Work of the engine that ends when the one who waits for it is interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import grpc
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # ships no types
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


@contextmanager
def interrupted_together(session: SparkSession, token: str) -> Iterator[None]:
    """Stop at the engine what this thread began in the block, when the block is left by an error or Ctrl-C.

    Without it the engine would go on reading and writing for nobody. An engine that cannot be reached has
    nothing that could be stopped from here.
    """
    if not token:
        yield
        return
    tag = f"dataplat_{token}"
    session.addTag(tag)
    try:
        yield
    except BaseException:
        with suppress(PySparkException, Py4JError, grpc.RpcError, ConnectionError):
            session.interruptTag(tag)
        raise
    finally:
        session.removeTag(tag)
