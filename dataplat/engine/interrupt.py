"""Work of the engine that ends when the one who waits for it is interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import grpc
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # ships no types
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from dataplat.errors import DataplatError

_GONE = (PySparkException, Py4JError, grpc.RpcError, ConnectionError)


@contextmanager
def interrupted_together(session: SparkSession, token: str) -> Iterator[None]:
    """Stop at the engine what this thread began in the block, when the block is left by an interrupt.

    Without it the engine would go on reading and writing for nobody. An error of ours means that the engine's
    work has ended, or that it cannot be reached: then there is nothing that could be stopped from here.
    """
    if not token:
        yield
        return
    tag = f"dataplat_{token}"
    session.addTag(tag)
    try:
        yield
    except DataplatError:
        raise
    except BaseException:
        with suppress(*_GONE):
            session.interruptTag(tag)
        raise
    finally:
        with suppress(*_GONE):
            session.removeTag(tag)
