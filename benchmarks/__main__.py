"""All benchmarks one after another: ``make bench`` or ``.venv/bin/python -m benchmarks``. Takes tens of minutes."""

import runpy
import sys

BENCHMARKS = ("ingest_gb18030", "vault", "linking", "staging_alias", "source_database", "whole_way")

for name in BENCHMARKS:
    print(f"== {name}", flush=True)
    sys.argv = [name]
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
