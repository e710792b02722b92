"""The life of a partition: plan, stage, count, compare, check, publish, report. No Dagster here.

The room between ``orchestration``, which says when, and the rooms that each do one thing. It exists so
that a load is the same code from the command line, from a Dagster run and from a test.
"""
