"""Counts and checks become outcomes: what was expected, what was found, and whether it blocks."""
