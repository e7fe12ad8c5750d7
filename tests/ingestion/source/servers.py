"""Servers on loopback that stand for those of departments: SFTP, S3, PostgreSQL, and a line that breaks."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

USER, PASSWORD = "collector", "hush-Sftp-4711"
POSTGRES_FOLDERS = "/usr/lib/postgresql"


class _Files(paramiko.SFTPServerInterface):
    """The files below one folder, read only."""

    root: Path

    def _path(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        try:
            names = [item.name for item in self._path(path).iterdir()]
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno or 0))
        return [
            paramiko.SFTPAttributes.from_stat((self._path(path) / name).lstat(), self.shown(name)) for name in names
        ]

    def shown(self, name: str) -> str:
        return name

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        return self.lstat(path)

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).lstat())
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno or 0))

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        try:
            stream = self._path(path).open("rb")
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno or 0))
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = stream  # type: ignore[attr-defined]
        return handle


class _Door(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (USER, PASSWORD)
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def get_allowed_auths(self, username: str) -> str:
        return "password"


class SftpServer:
    """An SFTP server over one folder."""

    def __init__(self, root: Path) -> None:
        self.key = paramiko.ECDSAKey.generate()
        self._files = type("_FilesOfRoot", (_Files,), {"root": root})
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self._files)
            self._transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=_Door())

    def known_hosts(self, path: Path, port: int | None = None, key: paramiko.PKey | None = None) -> Path:
        chosen = key or self.key
        path.write_text(f"[127.0.0.1]:{port or self.port} {chosen.get_name()} {chosen.get_base64()}\n")
        return path

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()
        self._thread.join(5)


class BreakingLine:
    """Forwards to a port of this machine; the first ``breaks`` connections end after so many bytes of answer."""

    def __init__(self, port: int, after_bytes: int, breaks: int) -> None:
        self._target, self._after, self.breaks = port, after_bytes, breaks
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            threading.Thread(target=self._pump, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, self._after), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                passed += len(data)
                if limit is not None and passed > limit and self.breaks > 0:
                    self.breaks -= 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for connection in (self._socket, *self._open):
            connection.close()


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL that Debian installed; None where there is none."""
    found = sorted(Path(POSTGRES_FOLDERS).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root: as whom it runs then."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ["runuser", "-u", "postgres" if "postgres" in names else "nobody", "--"]


@contextlib.contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL of its own on a free port of loopback; the test is skipped where there is none.

    Not in a folder of the test: as whom PostgreSQL runs may not pass through those.
    """
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (`make postgresql` as root installs Debian's package postgresql)")
    with tempfile.TemporaryDirectory(prefix="zhaoren-postgres-") as name, _running(programs, Path(name)) as port:
        yield port


@contextlib.contextmanager
def _running(programs: Path, folder: Path) -> Iterator[int]:
    prefix = _unprivileged()
    if prefix:
        shutil.chown(folder, prefix[2])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    data = folder / "data"

    def call(program: str, *arguments: str) -> None:
        command = [*prefix, str(programs / program), "-D", str(data), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, cwd=folder, env=environment, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    call("initdb", "-U", "owner", "-A", "trust", "--no-sync", "-E", "UTF8")
    (data / "pg_hba.conf").write_text("host all owner 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    call("pg_ctl", "-w", "-t", "60", "-l", str(folder / "log"), "-o", settings, "start")
    try:
        yield port
    finally:
        call("pg_ctl", "-w", "-m", "immediate", "stop")
