"""Damaged files by the thousand: ``python -m benchmarks.fuzz_ingest --minutes 10 --seed 1``.

Real files (of the sample city where it lies beside the checkout, else small ones of every format made here) are
flipped, cut, doubled and stuffed, and taken in. Whatever comes: accepted, held or rejected, counts that balance,
no exception, no more than 2 GiB, no more than a minute. What breaks that is a finding and is kept in ``--keep``.

Belongs here: damaging files and watching what becomes of them. Does not belong here: what a particular defect leads
to (``tests/ingestion/defects``).
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from ingestion import Delivery, Store, ingest
from ingestion.keys import Keys
from ingestion.parse_identity import check_character
from models.contract import Feed, load_feeds

NOW = datetime(2024, 12, 1, 4, 0, tzinfo=UTC)
MAX_SECONDS, MAX_RSS_KIB = 60, 2 << 20
MAX_SEED_BYTES = 200_000
# All files of a home are corrections of one month: what each sets aside is compared with every later one.
CASES_A_HOME, CASES_A_WORKER = 8, 400
SAMPLE = Path(__file__).parents[2] / "shared" / "sample_city" / "inbox"
_STUFFING = (
    b"\x00",
    b'"',
    b"\n",
    b"\r",
    b",",
    b"\t",
    b"\xff",
    b"\xef\xbb\xbf",
    b"'",
    b"{",
    b"}",
    b"\x1a",
    b"=1+1",
    b"<",
)
_NUMBERS = (b"0", b"-1", b"999999999", b"4294967296", b"1e308", b"NaN", b"", b"\xef\xb7\x90", b"A" * 300)

Mutation = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Specimen:
    """A good file: the feed it is of, its extension, its bytes."""

    feed: str
    extension: str
    data: bytes


def specimens() -> list[Specimen]:
    """Files of the sample city, a few of each extension, and small ones made here."""
    made = list(made_specimens())
    if not SAMPLE.is_dir():
        return made
    found: dict[tuple[str, str], Specimen] = {}
    for path in sorted(SAMPLE.glob("*/*")):
        key = path.parent.name, path.suffix
        if not path.name.endswith(".manifest.json") and path.stat().st_size <= MAX_SEED_BYTES and key not in found:
            found[key] = Specimen(path.parent.name, path.suffix, path.read_bytes())
    return made + list(found.values())


def made_specimens() -> Iterator[Specimen]:
    """A small file in every format."""
    header = ["身份证号", "姓名", "待遇类型", "发放月份", "金额"]
    rows = [[_id_number(at), "王小明", "1", "202303", f"{at}.50"] for at in range(30)]
    text = "\n".join(",".join(row) for row in (header, *rows)) + "\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030"):
        yield Specimen("pension_payment", ".csv", text.encode(encoding))
    yield Specimen("pension_payment", ".tsv", ('"' + text.replace(",", '"\t"').replace("\n", '"\n"')).encode()[:-1])
    lines = (json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in rows)
    yield Specimen("pension_payment", ".jsonl", "\n".join(lines).encode())
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, row in enumerate((["养老金"], ["单位:元"], header, *rows, ["合计", "", "", "", 450.0])):
        sheet.write_row(at, 0, row)
    sheet.write_number(5, 0, 420702198001010012)
    sheet.write_formula(6, 4, "=1+1", None, 2)
    book.close()
    yield Specimen("pension_payment", ".xlsx", stream.getvalue())


def _id_number(at: int) -> str:
    first = f"42070219800101{at:03d}"
    return first + check_character(first)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """One to four mutations; of a workbook sometimes inside its parts."""
    if data[:2] == b"PK" and rng.random() < 0.7:
        return _inside(rng, data)
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(_MUTATIONS)(rng, data)
    return data


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 20)) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return rng.choice((data[:start], data[end:], data[:start] + data[end:]))


def _double(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 30)) + data[end:]


def _swap(rng: random.Random, data: bytes) -> bytes:
    first, second = sorted((_span(rng, data), _span(rng, data)))
    if first[1] > second[0]:
        return data
    return (
        data[: first[0]] + data[slice(*second)] + data[first[1] : second[0]] + data[slice(*first)] + data[second[1] :]
    )


def _stuff(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_STUFFING) * rng.choice((1, 1, 2, 500)) + data[at:]


def _number(rng: random.Random, data: bytes) -> bytes:
    """Something else in the place of a run of digits."""
    digits = [at for at in range(len(data)) if 48 <= data[at] <= 57][:5000]
    if not digits:
        return data
    start = end = rng.choice(digits)
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    return data[:start] + rng.choice(_NUMBERS) + data[end:]


def _line(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at] = rng.choice((lines[at][::-1], lines[at] * 2, b"", lines[at][: len(lines[at]) // 2], lines[0]))
    return b"\n".join(lines)


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.expovariate(1 / 200)))


_MUTATIONS: tuple[Mutation, ...] = (_flip, _cut, _double, _swap, _stuff, _number, _line)


def _inside(rng: random.Random, data: bytes) -> bytes:
    """A workbook with one part damaged, doubled, gone or renamed."""
    stream = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
            names = old.namelist()
            chosen = rng.choice([name for name in names if name.startswith("xl/")] or names)
            for name in names:
                body = old.read(name)
                if name == chosen:
                    if rng.random() < 0.05:
                        continue
                    body = damaged(rng, body)
                new.writestr(name, body)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, EOFError):
        return _flip(rng, data)
    return stream.getvalue()


class Intake:
    """Takes damaged files in, in homes that are thrown away from time to time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._feeds = load_feeds()

    def take(self, specimen: Specimen, data: bytes) -> Delivery | None:
        """What becomes of the file; raises what ingestion raises, and AssertionError where counts do not balance."""
        home = self._folder / f"home{self._count // CASES_A_HOME}"
        inbox = self._folder / f"inbox{self._count}" / specimen.feed
        inbox.mkdir(parents=True)
        path = inbox / f"x{self._count}_202303{specimen.extension}"
        path.write_bytes(data)
        os.utime(path, (NOW.timestamp() - 3600,) * 2)
        self._count += 1
        feed: dict[str, Feed] = {specimen.feed: self._feeds[specimen.feed]}
        taken = ingest(inbox.parent, Store(home, Keys(b"p" * 32, b"v" * 32)), feed, NOW)
        path.unlink()
        for delivery in taken:
            _check(delivery)
        return taken[0] if taken else None


def _check(delivery: Delivery) -> None:
    if delivery.status in ("accepted", "held"):
        assert delivery.rows_data == delivery.rows_accepted + delivery.rows_quarantined
        assert delivery.rows_quarantined == sum(delivery.quarantined_by_reason.values())
    else:
        assert (delivery.rows_accepted, delivery.rows_quarantined) == (0, 0)


def run_cases(seed: int, first: int, count: int, until: float, keep: Path | None) -> Counter[str]:
    """Outcomes of that many cases; each depends on the seed and its own number alone."""
    outcomes: Counter[str] = Counter()
    files = specimens()
    with tempfile.TemporaryDirectory() as folder:
        intake = Intake(Path(folder))
        for number in range(first, first + count):
            if time.monotonic() > until:
                break
            specimen, data = case(seed, number, files)
            print(f"case {number}", flush=True)
            faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
            started = time.monotonic()
            try:
                delivery = intake.take(specimen, data)
                outcome = "not taken" if delivery is None else f"{delivery.status} {delivery.reason or ''}".strip()
                if delivery is not None and (delivery.detail or "").startswith("unforeseen"):
                    outcome += f" ({delivery.detail})"
            except Exception as error:
                outcome = f"FINDING {type(error).__name__}"
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MAX_RSS_KIB:
                outcome = "FINDING memory"
            faulthandler.cancel_dump_traceback_later()
            outcomes[outcome] += 1
            outcomes["slowest ms"] = max(outcomes["slowest ms"], int((time.monotonic() - started) * 1000))
            if keep is not None and ("FINDING" in outcome or "unforeseen" in outcome):
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{specimen.feed}.{seed}.{number}{specimen.extension}").write_bytes(data)
    outcomes["rss MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return outcomes


def case(seed: int, number: int, files: list[Specimen]) -> tuple[Specimen, bytes]:
    """The file of that number."""
    rng = random.Random(f"{seed}.{number}")
    specimen = rng.choice(files)
    return specimen, damaged(rng, specimen.data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first is not None:
        until = time.monotonic() + options.minutes * 60
        print(json.dumps(run_cases(options.seed, options.first, CASES_A_WORKER, until, options.keep)))
        return 0
    return _watch(options.minutes, options.seed, options.keep)


def _watch(minutes: float, seed: int, keep: Path | None) -> int:
    """Workers one after another, since what kills a process must not stop the others."""
    until, total, first = time.monotonic() + minutes * 60, Counter[str](), 0
    while time.monotonic() < until:
        left = (until - time.monotonic()) / 60
        command = [sys.executable, "-m", "benchmarks.fuzz_ingest", "--seed", str(seed), "--first", str(first)]
        command += ["--minutes", str(left), *(["--keep", str(keep)] if keep else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        if done.returncode == 0 and lines:
            found = json.loads(lines[-1])
            for name in ("slowest ms", "rss MiB"):
                total[name] = max(total[name], found.pop(name, 0))
            total.update(found)
            first += CASES_A_WORKER
        else:
            last = lines[-1] if lines else "case ?"
            total[f"FINDING died at {last}: {done.stderr.strip().splitlines()[-1:]}"] += 1
            first = int(last.split()[-1]) + 1
    for name, count in sorted(total.items()):
        print(f"{count:8} {name}")
    return 1 if any("FINDING" in name for name in total) else 0


if __name__ == "__main__":
    raise SystemExit(main())
