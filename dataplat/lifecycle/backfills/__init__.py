"""Backfills: planned from the ledger, carried out run by run, taken up again where they stopped."""
