"""The certificate of a deletion: counts, digests and names of files, never a value; each names the one before.

Belongs here: its form for machines and for people, and the proof that none was changed or taken out. Does not belong
here: deleting (``purge``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.labels import LANGUAGES, label
from models.policy.retention import RetentionPolicy

FOLDER = "certificate"


@dataclass(frozen=True)
class Certificate:
    """What was deleted, by whom, why, by which rule. ``person_keys_sha256`` is over the sorted keys, one a line."""

    number: int
    previous_sha256: str | None
    issued_at: str
    who: str
    reason: str
    as_of: str
    policy: str
    policy_version: str
    persons: int
    persons_without_rest: int
    person_keys_sha256: str
    persons_by_class: dict[str, int]
    kept_by_reason: dict[str, int]
    rows: tuple[dict[str, object], ...]
    files: tuple[dict[str, str | None], ...]


def certificate_paths(vault: Path, number: int) -> Path:
    """The folder of a certificate."""
    return vault / FOLDER / f"{number:04d}"


def certificates(vault: Path) -> list[dict[str, Any]]:
    """Every certificate issued, oldest first."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in _files(vault)]


def next_number(vault: Path) -> tuple[int, str | None]:
    """Number of the next certificate, and the digest of the last one."""
    files = _files(vault)
    return len(files) + 1, _digest(files[-1]) if files else None


def broken_links(vault: Path) -> list[int]:
    """Numbers of certificates that do not follow from the one before: it was changed or one is missing."""
    previous, broken = None, []
    for expected, path in enumerate(_files(vault), start=1):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["number"] != expected or content["previous_sha256"] != previous:
            broken.append(int(content["number"]))
        previous = _digest(path)
    return broken


def write_certificate(certificate: Certificate, policy: RetentionPolicy) -> Iterator[tuple[str, str]]:
    """File name and content of each form: for people in both languages first, for machines last."""
    for lang in LANGUAGES:
        yield f"certificate.{lang}.txt", certificate_text(certificate, policy, lang)
    yield "certificate.json", as_json(certificate)


def as_json(certificate: Certificate) -> str:
    return json.dumps(asdict(certificate), ensure_ascii=False, indent=1) + "\n"


def certificate_text(certificate: Certificate, policy: RetentionPolicy, lang: str) -> str:
    """One page for a person."""
    said = asdict(certificate)
    lines = [label("certificate.title", lang, number=certificate.number), ""]
    lines += [label(f"certificate.{name}", lang, value=said[name]) for name in ("issued_at", "who", "reason", "as_of")]
    title = policy.label_zh if lang == "zh" else policy.label_en
    lines += [label("certificate.policy", lang, name=policy.name, title=title, version=certificate.policy_version)]
    lines += [
        label("certificate.persons", lang, count=certificate.persons, without_rest=certificate.persons_without_rest)
    ]
    for item in policy.classes:
        own = [row for row in certificate.rows if row["class"] == item.name]
        count = certificate.persons_by_class.get(item.name, 0)
        if own or count:
            lines.append(
                label(
                    "certificate.class",
                    lang,
                    title=item.label_zh if lang == "zh" else item.label_en,
                    persons=count,
                    deliveries=len({row["delivery_id"] for row in own}),
                    identity_rows=sum(int(str(row["identity_rows"])) for row in own),
                    quarantined_rows=sum(int(str(row["quarantined_rows"])) for row in own),
                )
            )
    for why, count in certificate.kept_by_reason.items():
        lines.append(label(f"certificate.kept.{why}", lang, count=count))
    lines += [label("certificate.files", lang, count=len(certificate.files))]
    lines += [label("certificate.keys", lang, digest=certificate.person_keys_sha256)]
    lines += [label("certificate.previous", lang, digest=certificate.previous_sha256 or "-")]
    lines += ["", label("certificate.scope", lang)]
    return "\n".join(lines) + "\n"


def _files(vault: Path) -> list[Path]:
    return sorted((vault / FOLDER).glob("*/certificate.json"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
