"""How much a kill or property test repeats itself: one variable for all of them."""

import os


def repetitions(usual: int) -> int:
    """Return how often to repeat, at least once: the usual count times ``DATAPLAT_TEST_EFFORT``."""
    return max(1, round(usual * float(os.environ.get("DATAPLAT_TEST_EFFORT", "1.0"))))
