"""An S3-compatible location: folders are the prefixes below that of the address.

Belongs here: connecting through s3fs and the words for its failures. Does not belong here: what is fetched.
"""

from __future__ import annotations

import ipaddress
import stat
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from ingestion.source.location import Remote, kind_of
from ingestion.source.problem import ChangingError, SourceError
from ingestion.source.secret import readable_file, secret_of
from ingestion.source.settings import S3Source

_BLOCK_BYTES = 8 << 20


class S3Location:
    """One bucket and prefix. An object is there whole or not at all; its mark is the ETag."""

    def __init__(self, source: S3Source, home: Path) -> None:
        import s3fs  # takes a second to import, and belongs to the extra ``sources``

        parts = urlsplit(source.url)
        self._where = f"s3://{parts.netloc}{parts.path}"
        self._root = f"{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
        self._fs = s3fs.S3FileSystem(
            **_credentials(source, home),
            endpoint_url=source.endpoint,
            client_kwargs=_client(source, home),
            config_kwargs=_config(source),
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        # The fetching tries again by itself, and says so.
        self._fs.retries = 1
        try:
            self._fs.call_s3("head_bucket", Bucket=parts.netloc)
        except FileNotFoundError:
            self.close()
            raise SourceError(f"bucket {parts.netloc} is not there", "correct url in zhaoren.toml") from None
        except Exception as error:
            self.close()
            raise self.explain(error) from None

    def folders(self) -> list[str]:
        try:
            found = self._fs.ls(self._root, detail=True, refresh=True)
        except FileNotFoundError:  # nothing was ever put there
            return []
        return sorted(_last(entry) for entry in found if entry["type"] == "directory")

    def entries(self, folder: str) -> list[Remote]:
        try:
            found = self._fs.ls(self._path(folder), detail=True, refresh=True)
        except FileNotFoundError:
            return []
        # A prefix may be an object too: how browsers show empty folders.
        return [_remote(folder, entry) for entry in found if entry["name"].rstrip("/") != self._path(folder)]

    def look(self, remote: Remote) -> Remote | None:
        try:
            return _remote(remote.folder, self._fs.info(self._path(remote.folder, remote.name), refresh=True))
        except FileNotFoundError:
            return None

    def open(self, remote: Remote) -> BinaryIO:
        path = self._path(remote.folder, remote.name)
        return cast(BinaryIO, self._fs.open(path, "rb", block_size=_BLOCK_BYTES, cache_type="readahead"))

    def explain(self, error: Exception) -> SourceError:
        if isinstance(error, PermissionError):
            return SourceError(f"{self._where} refuses the credentials", "give keys that may list and read there")
        code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
        if code in ("PreconditionFailed", "412"):
            raise ChangingError
        return SourceError(
            f"{self._where} cannot be read ({type(error).__name__})",
            "see that the endpoint is reached from this machine",
            may_pass=True,
        )

    def close(self) -> None:
        creator = getattr(self._fs, "_s3creator", None)
        if creator is not None:
            self._fs.close_session(self._fs.loop, creator)

    def _path(self, *parts: str) -> str:
        return "/".join([self._root, *(part for part in parts if part not in ("", "."))])


def _credentials(source: S3Source, home: Path) -> dict[str, Any]:
    if source.anonymous:
        return {"anon": True}
    file = source.secrets_file
    key = secret_of("access_key", source.access_key_env, file, home)
    secret = secret_of("secret_key", source.secret_key_env, file, home)
    if not key or not secret:
        raise SourceError("no access_key or no secret_key in the secrets file", "write both into it")
    return {"key": key, "secret": secret, "token": secret_of("session_token", source.session_token_env, file, home)}


def _client(source: S3Source, home: Path) -> dict[str, Any]:
    chosen = {"region_name": source.region or ("us-east-1" if source.endpoint else None)}
    verify = {"verify": str(readable_file(source.ca_file, home))} if source.ca_file else {}
    return {**{name: value for name, value in chosen.items() if value}, **verify}


def _config(source: S3Source) -> dict[str, Any]:
    timeouts = {"connect_timeout": source.timeout_seconds, "read_timeout": source.timeout_seconds}
    proxies: dict[str, Any] = {"proxies": {}} if is_loopback(urlsplit(source.endpoint or "").hostname) else {}
    return {**timeouts, **proxies, "retries": {"max_attempts": 1}}


def is_loopback(host: str | None) -> bool:
    """Whether that is this machine itself, to which no proxy leads."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _last(entry: dict[str, Any]) -> str:
    return str(entry["name"]).rstrip("/").rsplit("/", 1)[-1]


def _remote(folder: str, entry: dict[str, Any]) -> Remote:
    kind = kind_of(stat.S_IFDIR if entry["type"] == "directory" else stat.S_IFREG)
    modified = entry.get("LastModified")
    moment = modified.timestamp() if modified is not None else 0.0
    return Remote(folder, _last(entry), kind, int(entry["size"] or 0), str(entry.get("ETag", "")).strip('"'), moment)
