"""Audits of tables that others make: finished tasks, counts, comparisons, results."""
