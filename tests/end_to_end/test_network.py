"""No process of a whole run tries to reach another machine.

The guard is a hook of Python itself (``tests/guard``), inherited by every child process; what native code would do
without Python is beyond it. The sample city's run of the session is done under it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.home.settings import DataHome
from tests.command import guarded

CHILD = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', sys.argv[1]]).returncode)"


def test_no_process_of_the_whole_run_tried_to_reach_another_machine(sample_home: DataHome) -> None:
    assert (sample_home.published / "alert_list.parquet").is_file()
    attempts = sample_home.root.with_name("attempts")
    assert not attempts.exists(), attempts.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("import socket; socket.create_connection(('192.0.2.1', 443), 1)", "192.0.2.1"),
        ("import socket; socket.getaddrinfo('telemetry.example.org', 443)", "telemetry.example.org"),
        ("import urllib.request; urllib.request.urlopen('http://198.51.100.7/')", "198.51.100.7"),
        ("import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.9', 53))", "203.0.113.9"),
    ],
)
def test_an_attempt_is_refused_and_noted_also_in_a_child(code: str, event: str, tmp_path: Path) -> None:
    attempts = tmp_path / "attempts"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, code], env=guarded(attempts), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert event in attempts.read_text(encoding="utf-8")


def test_this_machine_itself_may_be_reached(tmp_path: Path) -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname(), 1)"
    done = subprocess.run([sys.executable, "-c", code], env=guarded(tmp_path / "attempts"), check=False)
    assert done.returncode == 0
    assert not (tmp_path / "attempts").exists()
