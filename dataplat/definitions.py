"""The composition root: what Dagster loads.

The environment and the configuration are read here, once for each process, and passed down. Nothing is
connected to: no source, no engine, no ledger. ``config/`` is in git, so there is nothing to fetch.
"""

import os

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
    catalog = load_catalog(read_settings(environ).config_dir, environ)
    settings = read_settings(environ, platform_home=catalog.platform.home)
    return build_definitions(settings, catalog, environ)
