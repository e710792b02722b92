"""The options of ``dataplat audit``, under the names of the old auditor."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="AUDIT", help="A file in audits/; else the only one there.")]
Tasks = Annotated[
    str, typer.Option(metavar="A,B", help="Audit these tasks; nobody is asked which have ended.")
]
SkipClickhouse = Annotated[
    bool, typer.Option("--skip-clickhouse", help="Audit every task that is configured.")
]
Date = Annotated[
    str, typer.Option(metavar="YYYYMMDD", help="Date of all counts; else of the batch, else yesterday.")
]
HoursLookback = Annotated[
    float | None, typer.Option(metavar="HOURS", help="How far to look back without a watermark.")
]
WatermarkPath = Annotated[Path | None, typer.Option(metavar="FILE", help="JSON file of the watermark.")]
OverlapSeconds = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="How late a task may be written down.")
]
MaxWindowHours = Annotated[
    float | None, typer.Option(metavar="HOURS", help="Most that one run looks at; 0 is no limit.")
]
Reset = Annotated[
    bool, typer.Option("--watermark-reset", help="Forget the watermark first, also a damaged one.")
]
InitNow = Annotated[
    bool, typer.Option("--watermark-init-now", help="Begin now: save a watermark if there is none.")
]
Disable = Annotated[bool, typer.Option("--disable-watermark", help="Look back, and remember nothing.")]
Concurrency = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Tables counted at once, within the limits.")
]
HadoopConfDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Hadoop's configuration; else as for dataplat count.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the jobs and count nothing.")]
LogFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Append what is said to a file: hdfs_audit.log.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say each count as it ends.")]
Ignored = Annotated[Path | None, typer.Option(hidden=True)]
