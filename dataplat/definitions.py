"""The composition root: what Dagster loads.

The environment and the configuration are read here, once for each process, and passed down. Nothing is
connected to: no source, no engine, no ledger. ``config/`` is in git, so there is nothing to fetch.

What surprises: Python's garbage collector would take a fifth of the loading time. It looks through everything
again and again while definitions are made, and finds nothing: all of it lives as long as the process. So it
rests meanwhile, and leaves these objects out afterwards.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from dataplat.orchestration.build import build_definitions
from dataplat.settings import read_settings
from dataplat.specs import load_catalog


@dg.definitions
def defs() -> dg.Definitions:
    """Return every asset, check, schedule and resource that the configuration declares.

    Raises:
        SpecError: With every problem of every file of the configuration.
    """
    environ = dict(os.environ)
    with _what_is_made_stays():
        catalog = load_catalog(read_settings(environ).config_dir, environ)
        settings = read_settings(environ, platform_home=catalog.platform.home)
        return build_definitions(settings, catalog, environ)


@contextmanager
def _what_is_made_stays() -> Iterator[None]:
    """Let the garbage collector rest, and leave out for good what was made, unless making it failed."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
