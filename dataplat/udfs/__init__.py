"""User-defined functions: Python that SQL models call by name.

    from dataplat.udfs import udf

    @udf(returns="string")
    def domain(urls):
        "The host of a URL."
        import pyarrow.compute as pc
        return pc.struct_field(pc.extract_regex(urls, r"//(?P<host>[^/?#]+)"), "host")

A function takes one Arrow array for each argument and returns one Arrow array of the same length: whole
batches of rows, never a row at a time. It runs in Spark's Python workers, where it arrives by value together
with everything of its own package that it uses; whatever else it imports must be installed there.
"""

from dataplat.udfs.declare import Udf, udf

__all__ = ["Udf", "udf"]
