"""Audits in Dagster: external tables as assets with checks, the job, and the sensor."""
