"""Every run process loads definitions: what it imports, it pays for a thousand times a day."""

import subprocess
import sys


def test_loading_definitions_imports_neither_spark_nor_pandas_nor_a_database_driver() -> None:
    heavy = ["pyspark", "pandas", "pyarrow", "sqlalchemy", "pymysql", "sqlglot", "fsspec"]
    code = f"import sys, dataplat.definitions; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
