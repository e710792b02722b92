"""What files in ``readiness/`` and those who wait for them must find in other files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dataplat.specs.model import ModelSpec
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import Problem, did_you_mean
from dataplat.specs.readiness import ReadinessSpec
from dataplat.specs.warehouse_table import WarehouseTable


def check_readiness(
    specs: Sequence[ReadinessSpec],
    tables: Sequence[WarehouseTable],
    platform: PlatformSpec | None,
    files: Mapping[str, set[Path]],
) -> Iterator[Problem]:
    """Yield what is wrong between readiness and sources, tables and the platform."""
    ours = {table.table.lower(): table.declared for table in tables}
    external = {one.table.lower(): one for one in platform.external} if platform else {}
    sources = {path.stem for path in files["source"]}
    seen: dict[str, str] = {}
    for spec in specs:
        problem, name = spec.declared.problem, spec.table.lower()
        if spec.source is not None and spec.source not in sources:
            hint = (
                did_you_mean(spec.source, sources) or f"; declared are {', '.join(sorted(sources)) or 'none'}"
            )
            yield problem(("source",), f"there is no source '{spec.source}'{hint}")
        if name in ours:
            place = ours[name].at("table").split()[0]
            yield problem(
                ("table",), f"'{spec.table}' is declared in {place}: the ledger knows when it is ready"
            )
        if name in seen:
            yield problem(("table",), f"'{spec.table}' has a readiness already, in {seen[name]}")
        seen.setdefault(name, spec.declared.file)
        declared = external.get(name)
        if declared is not None and declared.table != spec.table:
            text = f"'{spec.table}', and platform.yaml writes it '{declared.table}'"
            yield problem(("table",), text)
        if declared is not None and declared.grain != spec.grain:
            found = declared.grain or "nothing"
            yield problem(
                ("grain",), f"'{spec.grain}', and platform.yaml says {found} of this external table"
            )


def check_after(models: Sequence[ModelSpec], files: set[Path]) -> Iterator[Problem]:
    """Yield each name in ``after`` that is no file in ``readiness/``."""
    known = {path.stem for path in files}
    for model in models:
        for index, name in enumerate(model.after):
            if name not in known:
                hint = did_you_mean(name, known) or f"; there are {', '.join(sorted(known)) or 'none'}"
                yield model.declared.problem(("after", index), f"there is no readiness/{name}.yaml{hint}")
