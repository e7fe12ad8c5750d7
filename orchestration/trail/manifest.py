"""What was written for readers, by name and fingerprint: a manifest beside the files, and the same in the audit log.

Belongs here: reports, letters, summaries, statistics alike. Does not belong here: what stands in them (``workbench``),
which tables they are given (``reports``, ``letters``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.home.settings import DataHome
from orchestration.trail.audit import record_access


@dataclass(frozen=True)
class Written:
    """One file for readers: of which report, in which language and form, and the fingerprint of its content."""

    report: str
    month: str
    language: str
    form: str
    path: str
    size: int
    sha256: str


def described(report: str, month: date, language: str, path: Path) -> Written:
    """A file as it lies there now."""
    form = path.suffix.removeprefix(".")
    return Written(report, f"{month:%Y-%m}", language, form, str(path), path.stat().st_size, fingerprint(path))


def hand_over(
    home: DataHome, written: Sequence[Written], month: date, *, who: str, manifest: Path | None = None
) -> None:
    """Name the files in ``manifest`` (where one is wanted) and in the audit log, the manifest among them."""
    if not written:
        return
    files = {name_in(home, Path(one.path)): one.sha256 for one in written}
    if manifest:
        _write_manifest(manifest, written)
        files[name_in(home, manifest)] = fingerprint(manifest)
    what = " ".join(dict.fromkeys(one.report for one in written))
    reason = f"reports of {month:%Y-%m}"
    record_access(home, "report", what, who=who, month=f"{month:%Y-%m}", count=len(written), reason=reason, files=files)


def fingerprint(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def name_in(home: DataHome, path: Path) -> str:
    """A file's place in the data home; outside of it the name alone, since folders of a machine tell of people."""
    full = path.resolve()
    return full.relative_to(home.root).as_posix() if full.is_relative_to(home.root) else path.name


def _write_manifest(path: Path, written: Sequence[Written]) -> None:
    """What was written here, by name and fingerprint; files of an earlier call that still stand stay named."""
    lines: dict[str, Any] = {}
    if path.is_file():
        known = json.loads(path.read_text(encoding="utf-8"))["files"]
        lines = {line["path"]: line for line in known if (path.parent / line["path"]).is_file()}
    lines |= {Path(one.path).name: asdict(one) | {"path": Path(one.path).name} for one in written}
    content = {"files": [lines[name] for name in sorted(lines)]}
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)
