"""Schedules and sensors of the platform, stopped and started as the UI does it.

What surprises: Dagster keys their state by the names of code location, repository and sensor, and only its
web server sets it. So this module builds what the web server would hand to the instance; the imports that
need it are private, and are all here. A test compares the names with ``workspace.yaml``.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.remote_representation.external import RemoteRepository, RemoteSchedule, RemoteSensor
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._core.remote_representation.handle import RepositoryHandle
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from dataplat.orchestration.automation import sensor_models
from dataplat.orchestration.schedules import schedule_name
from dataplat.specs import Catalog

CODE_LOCATION = "dataplat"  # as workspace.yaml and pyproject.toml name it
_MODULE = "dataplat.definitions"


@dataclass(frozen=True)
class Switch:
    """A schedule or a sensor, and whether it runs."""

    kind: str
    name: str
    running: bool


class Switchboard:
    """All schedules and sensors of some definitions, and their state in an instance."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        repository = definitions.get_repository_def()
        origin = ManagedGrpcPythonEnvCodeLocationOrigin(
            LoadableTargetOrigin(module_name=_MODULE), location_name=CODE_LOCATION
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Dagster reads a property of its own past
            snapshot = RepositorySnap.from_def(repository)
        remote = RemoteRepository(
            snapshot,
            RepositoryHandle(
                repository_name=repository.name,
                code_location_origin=origin,
                repository_python_origin=None,
                display_metadata={},
            ),
            auto_materialize_use_sensors=True,
        )
        self._instance = instance
        found: list[RemoteSchedule | RemoteSensor] = [*remote.get_schedules(), *remote.get_sensors()]
        self._by_name: Mapping[str, Any] = {one.name: one for one in found}

    def switches(self) -> list[Switch]:
        """Return all of them, by name."""
        return [self._switch(name) for name in sorted(self._by_name)]

    def turn(self, names: Sequence[str], *, on: bool) -> list[Switch]:
        """Start or stop some, and return those that changed. Runs that were launched go on."""
        changed = [name for name in names if self._switch(name).running != on]
        for name in changed:
            self._turn(self._by_name[name], on)
        return [self._switch(name) for name in changed]

    def _turn(self, one: RemoteSchedule | RemoteSensor, on: bool) -> None:
        identity = (one.get_remote_origin_id(), one.selector_id)
        if isinstance(one, RemoteSchedule):
            if on:
                self._instance.start_schedule(one)
            else:
                self._instance.stop_schedule(*identity, one)
        elif on:
            self._instance.start_sensor(one)
        else:
            self._instance.stop_sensor(*identity, one)

    def _switch(self, name: str) -> Switch:
        one = self._by_name[name]
        stored = self._instance.get_instigator_state(one.get_remote_origin_id(), one.selector_id)
        kind = "schedule" if isinstance(one, RemoteSchedule) else "sensor"
        return Switch(kind, name, one.get_current_instigator_state(stored).is_running)


def launchers(catalog: Catalog) -> dict[str, frozenset[str]]:
    """Return the tables that each schedule and each automation sensor launches, by its name."""
    found: dict[str, set[str]] = {}
    for spec in catalog.all_tables.values():
        if spec.schedule:
            found.setdefault(schedule_name(catalog, spec), set()).add(spec.table)
    for name, models in sensor_models(catalog).items():
        found.setdefault(name, set()).update(spec.table for spec in models)
    return {name: frozenset(tables) for name, tables in found.items()}
