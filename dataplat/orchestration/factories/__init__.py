"""From specs to Dagster definitions."""
