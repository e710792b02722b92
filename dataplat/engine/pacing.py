"""Reading slower than one could, for the sake of a server that others work on.

Spark has no such thing, and a Python function for each batch would copy every row twice. Here an
expression that keeps every row counts them in the JVM and sleeps after each so many: a modulo for a row,
``Thread.sleep`` for a batch. While a task sleeps it fetches nothing, the connection's buffers fill, and
the server itself stops sending.

It promises *at most*: the pause is what the batch may take, and reading it takes time too, so the rate seen
is lower, by the share that reading would have taken.
"""

from pyspark.sql import DataFrame

_PAUSES_A_SECOND = 5
_LONGEST_BATCH = 10_000


def batch_rows(rows_per_second: float) -> int:
    """Return after how many rows a task pauses: five times a second, or more seldom where rows are few.

    >>> [batch_rows(rate) for rate in (0.5, 3, 1_000, 1_000_000)]
    [1, 1, 200, 10000]
    """
    return min(max(int(rows_per_second / _PAUSES_A_SECOND), 1), _LONGEST_BATCH)


def paced(frame: DataFrame, rows_per_second: float) -> DataFrame:
    """Return the same rows; each task hands on at most so many a second."""
    rows = batch_rows(rows_per_second)
    pause = max(round(rows * 1000 / rows_per_second), 1)
    return frame.where(
        f"CASE WHEN monotonically_increasing_id() % {rows} = {rows - 1}"
        # Whatever Spark makes of a method without a result, it is not this word, so no row is lost.
        f" THEN coalesce(reflect('java.lang.Thread', 'sleep', {pause}L), '') <> 'lost' ELSE true END"
    )
