"""Words to systemd, at the socket that it names in the environment: sd_notify(3).

Where nobody named one, as in a shell, nothing is said.
"""

import os
import socket
from contextlib import suppress

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"
WITHIN_S = 0.1
"""systemd reads at once. One that does not must not hold up answers."""


def notify(message: str) -> None:
    """Send `message`; nobody is told when it does not arrive."""
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name:
        return
    address = f"\0{name[1:]}" if name.startswith("@") else name
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as words:
        words.settimeout(WITHIN_S)
        words.sendto(message.encode(), address)


def tell_alive() -> None:
    """Put off systemd's watchdog."""
    notify(ALIVE)
