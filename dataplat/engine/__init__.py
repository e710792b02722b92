"""Spark: the only folder that imports pyspark.

Above ``session.py`` nothing uses ``_jvm``, ``rdd`` or ``sparkContext``, so that the same code runs on
a shared Spark Connect server and on a classic session.
"""
