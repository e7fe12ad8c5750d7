"""Put before everything else of a process (PYTHONPATH): every attempt to reach another machine is noted and refused.

Belongs here: the guard alone. Whoever starts a run names in ZHAOREN_TEST_ATTEMPTS the file for what was attempted;
child processes inherit both. This machine's own addresses and sockets of the file system are allowed.
"""

import os
import sys
from pathlib import Path

ATTEMPTS = os.environ.get("ZHAOREN_TEST_ATTEMPTS")
HOME = ("localhost", "127.", "::1", "0.0.0.0", "")


def _is_own(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str("" if host is None else host)
    return text in HOME or text.startswith("127.")


def _guard(event: str, details: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = details[1]
        if not isinstance(address, tuple) or _is_own(address[0]):
            return
        target = f"{address[0]}:{address[1]}"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        if _is_own(details[0]):
            return
        target = str(details[0])
    else:
        return
    with Path(str(ATTEMPTS)).open("a", encoding="utf-8") as file:
        file.write(f"{event} {target}\n")
    raise PermissionError(f"{event}: no connection to other machines")


if ATTEMPTS:
    sys.addaudithook(_guard)
