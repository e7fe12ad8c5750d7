"""An SFTP location, whose host must be a known one.

Belongs here: connecting through fsspec and paramiko, and the words for their failures. Does not belong here: what
is fetched.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from ingestion.source.location import Remote, kind_of
from ingestion.source.problem import SourceError
from ingestion.source.secret import closed_file, readable_file, secret_of
from ingestion.source.settings import SftpSource

_PORT = 22
_BUFFER_BYTES = 1 << 15


class SftpLocation:
    """One folder of an SFTP server. Its mark is the modification time, which SFTP tells in whole seconds."""

    def __init__(self, source: SftpSource, home: Path) -> None:
        parts = urlsplit(source.url)
        self._where = f"sftp://{parts.hostname}{parts.path}"
        self._root = unquote(parts.path).rstrip("/")
        # Before anything is sent: secrets that lie open, files that are not there.
        options = _options(source, home)
        known_hosts = readable_file(source.known_hosts, home)
        try:
            self._fs = _strict_filesystem(str(parts.hostname), known_hosts, options)
            self._fs.ftp.get_channel().settimeout(source.timeout_seconds)
        except Exception as error:
            raise self.explain(error) from None
        try:
            self._fs.ftp.listdir_attr(self._root or "/")
        except FileNotFoundError:
            self.close()
            raise SourceError(f"{self._where} is not there", "correct url in zhaoren.toml") from None
        except Exception as error:
            self.close()
            raise self.explain(error) from None

    def folders(self) -> list[str]:
        found = self._fs.ftp.listdir_attr(self._root or "/")
        return sorted(item.filename for item in found if stat.S_ISDIR(item.st_mode or 0))

    def entries(self, folder: str) -> list[Remote]:
        try:
            found = self._fs.ftp.listdir_attr(self._path(folder))
        except FileNotFoundError:
            return []
        return [_remote(folder, item.filename, item) for item in sorted(found, key=lambda item: str(item.filename))]

    def look(self, remote: Remote) -> Remote | None:
        try:
            facts = self._fs.ftp.lstat(self._path(remote.folder, remote.name))
        except FileNotFoundError:
            return None
        return _remote(remote.folder, remote.name, facts)

    def open(self, remote: Remote) -> BinaryIO:
        stream = self._fs.ftp.open(self._path(remote.folder, remote.name), "rb", bufsize=_BUFFER_BYTES)
        # Requests go ahead of the answers: without them each block waits for a whole way there and back.
        stream._prefetch_thread = _quietly(stream._prefetch_thread)
        stream.prefetch(remote.size, max_concurrent_requests=64)
        return cast(BinaryIO, stream)

    def explain(self, error: Exception) -> SourceError:
        import paramiko

        if isinstance(error, paramiko.BadHostKeyException) or "known_hosts" in str(error):
            return SourceError(
                f"the host key of {self._where} is not the known one",
                "ask its operator for the key's fingerprint; only if it agrees, correct the known_hosts file",
            )
        if isinstance(error, paramiko.AuthenticationException | PermissionError):
            return SourceError(f"{self._where} refuses the credentials", "check user, key_file or password")
        return SourceError(
            f"{self._where} cannot be read ({type(error).__name__})",
            "see that the host is reached from this machine",
            may_pass=True,
        )

    def close(self) -> None:
        self._fs.client.close()

    def _path(self, *parts: str) -> str:
        return "/".join([self._root, *(part for part in parts if part not in ("", "."))]) or "/"


def _quietly(ask: Callable[..., None]) -> Callable[..., None]:
    """The thread that asks ahead ends without a word when the line breaks; the one that reads will tell."""

    def asks(*arguments: Any) -> None:
        with contextlib.suppress(Exception):
            ask(*arguments)

    return asks


def _strict_filesystem(host: str, known_hosts: Path, options: dict[str, Any]) -> Any:
    """fsspec's SFTP, with the hosts of that file and no others, and neither agent nor keys lying about."""
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem

    class StrictSftp(SFTPFileSystem):  # type: ignore[misc]
        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_host_keys(str(known_hosts))
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            try:
                self.client.connect(self.host, **self.ssh_kwargs)
                self.ftp = self.client.open_sftp()
            except BaseException:
                self.client.close()
                raise

    return StrictSftp(host, skip_instance_cache=True, **options)


def _options(source: SftpSource, home: Path) -> dict[str, Any]:
    parts = urlsplit(source.url)
    timeouts = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), source.timeout_seconds)
    options = {
        "port": parts.port or _PORT,
        "username": unquote(parts.username or ""),
        "password": secret_of("password", source.password_env, source.secrets_file, home),
        "passphrase": secret_of("passphrase", source.passphrase_env, source.secrets_file, home),
        "key_filename": str(closed_file(source.key_file, home)) if source.key_file else None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return {**given, **timeouts, "allow_agent": False, "look_for_keys": False}


def _remote(folder: str, name: str, facts: Any) -> Remote:
    modified = float(facts.st_mtime or 0)
    return Remote(folder, str(name), kind_of(facts.st_mode or 0), int(facts.st_size or 0), str(modified), modified)
