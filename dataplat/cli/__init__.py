"""The command line: one module a group of commands. Nothing is decided here, only asked and shown.

What is slow to import (Spark, Dagster, SQLAlchemy) is imported by the command that needs it, when it runs.
"""
