"""Names that others gave: which may become the name of a file of ours.

Belongs here: tricks in names. Does not belong here: what a name says of month and district (``statement``).
"""

from __future__ import annotations

import hashlib
import unicodedata

from ingestion.statement import SIDECAR_SUFFIX

# What file systems take, less what a sidecar adds.
MAX_NAME_BYTES = 255 - len(SIDECAR_SUFFIX)
_SHOWN = 80
# Turn text around or hide it on a screen.
_DECEIVING = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
# How an S3 address asks for another object than it names.
_VERSION_MARK = "?versionId="


def fault_of_name(name: str) -> str | None:
    """Why a remote name cannot be taken over; None where it can."""
    if name in ("", ".", "..") or "/" in name or "\\" in name or _VERSION_MARK in name:
        return "a name that is a path"
    if any(unicodedata.category(letter) in _DECEIVING or letter in _DIRECTION for letter in name):
        return "a name with control characters"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        return "a name that is too long"
    return None


def harmless(name: str) -> str:
    """A name to show for one that cannot be taken over: printable, short, different for different names."""
    letters = (letter if letter.isprintable() and letter not in "/\\?" else "_" for letter in name[:_SHOWN])
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    # Letters only, so that the digest is never read as a month or a district.
    return "".join(letters) + "~" + digest.translate(str.maketrans("0123456789", "ghijklmnop"))
