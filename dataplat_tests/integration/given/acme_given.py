"""A UDF of the example: the first word of a text; ``?`` is refused, so that tests see a UDF fail."""

from typing import Any

from dataplat.udfs import udf


@udf(returns="string")
def first_word(texts: Any) -> Any:
    import pyarrow as pa

    words = [None if text is None else text.split()[0] for text in texts.to_pylist()]
    if "?" in words:
        raise ValueError("'?' is no word")
    return pa.array(words, pa.string())
