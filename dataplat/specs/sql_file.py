"""The SQL file that belongs to a model, and to no other kind of file."""

from dataplat.specs.documents import Declared
from dataplat.specs.problems import Problem


def read_sql(declared: Declared, wanted: bool) -> tuple[str, list[Problem]]:
    """Return the text of the SQL file beside a YAML file, and what is wrong with it.

    Args:
        declared: The YAML file.
        wanted: Whether its kind has SQL. A file that is there and not wanted is a problem: somebody thinks
            that it is run.
    """
    path = declared.path.with_suffix(".sql")
    file = declared.file.removesuffix(".yaml") + ".sql"
    if not wanted:
        stray = path.exists() and declared.path.name.count(".") == 1
        text = f"is not read by anything: {declared.path.name} is no model"
        return "", [Problem(file, 1, "", text)] if stray else []
    try:
        raw = path.read_bytes()
        sql = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        text = f"a model has its SQL beside it, and there is no {path.name}; a loaded table has a `source`"
        return "", [declared.problem((), text)]
    except OSError as error:
        return "", [Problem(file, 1, "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return "", [Problem(file, raw.count(b"\n", 0, error.start) + 1, "", "is not UTF-8 text")]
    return sql, [] if sql.strip() else [Problem(file, 1, "", "holds no SQL")]
