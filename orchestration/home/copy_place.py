"""A place of copies, be it a folder or object storage: content by its digest, generations by their time.

Belongs here: putting and getting, so that a copy is there wholly or not at all. What is copied is in ``backup``.

    objects/<2 letters>/<sha256>    a file's content, put once whatever its names and however many copies it is in
    generations/<time>.json         what a copy consists of; put last, and never over another one: the commit
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from ingestion.source.s3 import is_loopback
from orchestration.console import CommandError

_GENERATIONS, _OBJECTS = "generations", "objects"


@dataclass(frozen=True)
class CopyPlace:
    """One folder or prefix."""

    fs: Any
    root: str

    @staticmethod
    def open(where: str, endpoint: str | None = None, region: str | None = None) -> CopyPlace:
        """The place of that address; ``CommandError`` where it is not reached."""
        if not where.startswith("s3://"):
            root = Path(where).resolve()
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            return CopyPlace(LocalFileSystem(), str(root))
        client = {"region_name": region} if region else {}
        # No proxy leads to this machine itself.
        config: dict[str, Any] = {"proxies": {}} if is_loopback(urlsplit(endpoint or "").hostname) else {}
        fs, root = fsspec.url_to_fs(
            where, endpoint_url=endpoint, client_kwargs=client, config_kwargs=config,
            use_listings_cache=False, skip_instance_cache=True,
        )  # fmt: skip
        place = CopyPlace(fs, root)
        try:
            place.fs.call_s3("head_bucket", Bucket=urlsplit(where).netloc)
        except Exception as error:
            raise CommandError(
                f"{where} cannot be reached ({type(error).__name__})",
                "is the bucket there, backup.endpoint right, and are AWS_ACCESS_KEY_ID and its secret set?",
            ) from None
        return place

    def generations(self) -> list[str]:
        """Names of all whole copies, oldest first."""
        return sorted(Path(path).stem for path in self._find(_GENERATIONS) if path.endswith(".json"))

    def manifest(self, generation: str) -> dict[str, Any]:
        """What a copy consists of."""
        told: dict[str, Any] = json.loads(self.fs.cat_file(self._path(_GENERATIONS, f"{generation}.json")))
        return told

    def objects(self) -> set[str]:
        """Digests of all contents that are there."""
        return {Path(path).name for path in self._find(_OBJECTS) if not Path(path).name.startswith(".")}

    def put_object(self, source: Path, digest: str) -> None:
        """A file's content; half a one is never under its name."""
        target = self._object(digest)
        if not self._is_local:
            self.fs.put_file(str(source), target)
            return
        aside = self._aside(target)
        self.fs.put_file(str(source), aside)
        self._in_place(aside, target)

    def get_object(self, digest: str, target: Path) -> None:
        """A content into a file."""
        self.fs.get_file(self._object(digest), str(target))

    def commit(self, generation: str, manifest: dict[str, Any]) -> None:
        """Make the copy count; ``FileExistsError`` where another one of that name does already."""
        target = self._path(_GENERATIONS, f"{generation}.json")
        data = json.dumps(manifest, ensure_ascii=False).encode()
        if not self._is_local:
            self.fs.pipe_file(target, data, mode="create")
            return
        aside = self._aside(target)
        Path(aside).write_bytes(data)
        with Path(aside).open() as stream:
            os.fsync(stream.fileno())
        os.link(aside, target)  # fails where the name is taken
        Path(aside).unlink()

    def drop(self, generations: list[str]) -> int:
        """Take copies away: first what makes them count, then contents that no other copy has; how many contents."""
        for generation in generations:
            self.fs.rm_file(self._path(_GENERATIONS, f"{generation}.json"))
        used = {file[1] for left in self.generations() for file in self.manifest(left)["files"]}
        unused = self.objects() - used
        for digest in sorted(unused):
            self.fs.rm_file(self._object(digest))
        return len(unused)

    @property
    def _is_local(self) -> bool:
        return isinstance(self.fs, LocalFileSystem)

    def _find(self, folder: str) -> list[str]:
        try:
            return list(self.fs.find(self._path(folder)))
        except FileNotFoundError:
            return []

    def _object(self, digest: str) -> str:
        return self._path(_OBJECTS, digest[:2], digest)

    def _path(self, *parts: str) -> str:
        return "/".join([self.root.rstrip("/"), *parts])

    def _aside(self, target: str) -> str:
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return str(path.with_name(f".{path.name}.{os.getpid()}"))

    def _in_place(self, aside: str, target: str) -> None:
        with Path(aside).open() as stream:
            os.fsync(stream.fileno())
        Path(aside).replace(target)
