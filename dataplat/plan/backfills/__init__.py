"""Backfills: which partitions are made again, in which order and in which runs. Pure."""
