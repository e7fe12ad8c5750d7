"""Ingesting one delivery of a million rows and 20 columns in GB18030, against bare Polars and against pandas.

Belongs here: the file, the measurement (CPU seconds and peak memory, each way in a process of its own) and the
ratios. Run: ``python -m benchmarks.ingest_gb18030 [--rows N] [--keep FILE]``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

MILLION = 1_000_000
FEED = "population_register"
EXTRA = ("序号", "更新批次", "数据来源", "备注")
AIM_BARE, AIM_PANDAS, AIM_BYTES = 3.0, 0.5, 1.5e9


def make_file(path: Path, rows: int, seed: int = 7) -> None:
    """A population register in GB18030, made a million rows at a time."""
    with path.open("wb") as stream:
        for start in range(0, rows, MILLION):
            table = register(min(MILLION, rows - start), start, seed + start)
            stream.write(table.write_csv(include_header=start == 0).encode("gb18030"))


def register(rows: int, start: int, seed: int) -> pl.DataFrame:
    """A population register: unique valid ID numbers, labels and codes mixed, some defects of each kind."""
    generator = np.random.default_rng(seed)
    born = np.datetime64("1940-01-01") + generator.integers(0, 29_000, rows)
    order = generator.integers(0, 1000, rows)
    days = pl.Series(born).dt.strftime("%Y%m%d")
    region = pl.Series(420_102 + np.arange(start, start + rows) % 90_000).cast(pl.String)
    first = region + days + pl.Series(order).cast(pl.String).str.zfill(3)
    frame = pl.DataFrame(
        {"first": first, "born": pl.Series(born), "order": order, "at": np.arange(start, start + rows)}
    )
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = pl.sum_horizontal(pl.col("first").str.slice(at, 1).cast(pl.Int32) * by for at, by in enumerate(weights))
    check = (total % 11).replace_strict(dict(enumerate("10X98765432")), return_dtype=pl.String)
    surname = (
        pl.col("at")
        .mod(20)
        .replace_strict(dict(enumerate("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许")), return_dtype=pl.String)
    )
    given = (
        pl.col("at")
        .floordiv(20)
        .mod(16)
        .replace_strict(dict(enumerate("明华丽英俊杰敏静强磊军洋勇艳\U00020164\u3400")), return_dtype=pl.String)
    )
    return frame.with_columns(id=pl.col("first") + check).select(
        pl.when(pl.col("at") % 997 == 0).then(pl.col("id").str.slice(0, 17) + "?").otherwise("id").alias("身份证号"),
        (surname + given + given).alias("姓名"),
        pl.lit("").alias("曾用名"),
        pl.when(pl.col("order") % 2 == 1).then(pl.lit("男")).otherwise(pl.lit("女")).alias("性别"),
        pl.lit("01").alias("民族"),
        pl.when(pl.col("at") % 3 == 0)
        .then(pl.col("born").dt.strftime("%Y年%m月%d日"))
        .otherwise(pl.col("born").dt.strftime("%Y-%m-%d"))
        .alias("出生日期"),
        pl.format("4207{}", pl.col("at").floordiv(3).cast(pl.String).str.zfill(9)).alias("户号"),
        pl.when(pl.col("at") % 3 == 0).then(pl.lit("02")).otherwise(pl.lit("20")).alias("与户主关系"),
        pl.when(pl.col("at") % 2 == 0).then(pl.lit("城镇")).otherwise(pl.lit("2")).alias("户口性质"),
        pl.lit("420702100001").alias("户籍地代码"),
        pl.when(pl.col("at") % 1009 == 0).then(pl.lit("420799")).otherwise(pl.lit("420703")).alias("现住地代码"),
        pl.lit("20").alias("婚姻状况"),
        pl.lit("1").alias("户籍状态"),
        pl.lit("").alias("变动日期"),
        pl.format("湖北省鄂州市鄂城区长江路{}号", pl.col("at").mod(5000)).alias("住址"),
        pl.format("139{}", pl.col("at").cast(pl.String).str.zfill(8)).alias("联系电话"),
        pl.col("at").cast(pl.String).alias(EXTRA[0]),
        *(pl.lit("市大数据平台").alias(name) for name in EXTRA[1:]),
    )


def bare(path: Path, folder: Path) -> dict[str, int]:
    """Decode, read, write Parquet: what any way has to do."""
    import codecs
    import io

    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    data = path.read_bytes()
    chunks = (decoder.decode(data[at : at + (8 << 20)]).encode() for at in range(0, len(data), 8 << 20))
    frame = pl.read_csv(io.BytesIO(b"".join(chunks)), infer_schema=False)
    frame.write_parquet(folder / "bare.parquet", compression="zstd")
    return {"accepted": frame.height, "quarantined": 0}


def ours(path: Path, folder: Path) -> dict[str, int]:
    """The whole way of a delivery: lake, vault, quarantine, ledger."""
    from datetime import UTC, datetime

    from ingestion import Store, ingest
    from models.contract import load_feeds

    (taken,) = ingest(path.parent.parent, Store.open(folder), load_feeds(), datetime(2030, 1, 1, tzinfo=UTC))
    assert taken.status == "accepted", taken.reason
    return {"accepted": taken.rows_accepted, "quarantined": taken.rows_quarantined}


def with_pandas(path: Path, folder: Path) -> dict[str, int]:
    """The same work by a competent vectorised pandas script."""
    from benchmarks.ingest_with_pandas import ingest_file

    return ingest_file(path, folder)


WAYS = {"bare": bare, "ours": ours, "pandas": with_pandas}


def measure(way: str, path: Path) -> dict[str, float]:
    """CPU seconds, wall seconds and peak memory of one way in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--keep", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return measured


def peak_bytes() -> int:
    """Peak memory of this process (what ``getrusage`` says is never less than that of the parent)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def run_one(way: str, path: Path) -> None:
    """Do it and print what it took; imports and start-up are in it."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        counts = WAYS[way](path, Path(folder))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    peak = peak_bytes()
    print(json.dumps({"cpu_s": cpu, "wall_s": time.perf_counter() - start, "peak_bytes": peak, **counts}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="the file to use, made where it is missing")
    parser.add_argument("--way", choices=[*WAYS, "make"])
    arguments = parser.parse_args()
    if arguments.way == "make":
        make_file(arguments.keep, arguments.rows)
        return
    if arguments.way:
        run_one(arguments.way, arguments.keep)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.keep or Path(folder) / "inbox" / FEED / "户籍人口_203001.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # In a process of its own: a child's peak memory is never less than its parent's at the start.
            subprocess.run(
                [sys.executable, __file__, "--way", "make", "--keep", str(path), "--rows", str(arguments.rows)],
                check=True,
            )
            os.utime(path, (1_893_400_000, 1_893_400_000))
        report({way: measure(way, path) for way in WAYS}, path)


def report(found: dict[str, dict[str, float]], path: Path) -> None:
    """A table of the ways, and the ratios that the aims are about."""
    print(f"{path.stat().st_size / 2**20:.0f} MiB")
    for way, figures in found.items():
        took = f"{figures['cpu_s']:6.1f} CPU s {figures['wall_s']:6.1f} s {figures['peak_bytes'] / 1e9:5.2f} GB"
        print(f"{way:7}{took}  {figures['accepted']:.0f} accepted, {figures['quarantined']:.0f} quarantined")
    ours = found["ours"]
    to_bare, to_pandas = (ours["cpu_s"] / found[way]["cpu_s"] for way in ("bare", "pandas"))
    print(f"ours / bare   {to_bare:.2f} (aim: at most {AIM_BARE:.0f})")
    print(f"ours / pandas {to_pandas:.2f} (aim: under {AIM_PANDAS})")
    print(f"peak          {ours['peak_bytes'] / 1e9:.2f} GB (aim: under {AIM_BYTES / 1e9:.1f})")


if __name__ == "__main__":
    main()
