"""Speed as ratios, measured side by side in one run. Nothing here asserts on seconds.

Run all with ``make bench``, one with ``python -m dataplat_tests.bench NAME``. Results go to
``docs/benchmarks.md`` with the machine they were measured on.
"""
