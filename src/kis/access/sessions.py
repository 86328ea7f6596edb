"""Sessions of the console, and when signing in is refused: pure rules.

The browser keeps a token; the database keeps its SHA-256 alone, with the key that
opened the session. What the session may do is what that key may do now.
"""

import hashlib
import hmac
import ipaddress
from datetime import datetime, timedelta
from typing import NamedTuple

SESSION_HOURS = 12
TOKEN_BYTES = 32
MOST_SESSIONS = 50
"""Of one key, which a whole office may share. The oldest ends when one more begins."""
IPV6_NETWORK_BITS = 64
FREE_FAILURES = 5
"""Wrong keys from one address before the next is not looked at."""
FIRST_LOCK_S = 30
LONGEST_LOCK_S = 900
FORGOTTEN_AFTER_S = 3_600
"""Failures of an address that has been quiet for so long count no more."""


class Session(NamedTuple):
    """A row of `console_session`."""

    session_id: str
    key_id: str
    created_at: datetime
    expires_at: datetime


class Failures(NamedTuple):
    """How often an address gave a wrong key, and when it did last."""

    times: int
    failed_at: datetime


def open_session(token: str, key_id: str, now: datetime) -> Session:
    """Return the session of `token`, which is new."""
    return Session(session_id_of(token), key_id, now, now + timedelta(hours=SESSION_HOURS))


def session_id_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def csrf_token_of(token: str) -> str:
    """Return what a page of the session sends with each change.

    Another site can have the cookie sent, where a browser lets it, but cannot read this.
    """
    return hmac.digest(token.encode(), b"KIS-CONSOLE-CSRF-1", "sha256").hex()


def counted_as(address: str) -> str:
    """Return whom the failures of an address are counted for: of IPv6, its network of 64 bits.

    One machine has as many addresses there as it likes.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address) or found.ipv4_mapped is not None:
        return address
    return str(ipaddress.ip_network((found, IPV6_NETWORK_BITS), strict=False))


def locked_for_s(failures: Failures | None, now: datetime) -> int:
    """Return for how many seconds no key of that address is looked at.

    Half a minute after the fifth wrong one, twice as long after each further one.
    """
    if failures is None or failures.times < FREE_FAILURES:
        return 0
    doublings = min(failures.times - FREE_FAILURES, 10)
    lock = timedelta(seconds=min(FIRST_LOCK_S * 2**doublings, LONGEST_LOCK_S))
    return max(0, -(-(failures.failed_at + lock - now) // timedelta(seconds=1)))
