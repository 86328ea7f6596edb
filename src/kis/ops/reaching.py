"""How programs of this machine reach the server of a home, and know that it is the one.

Under TLS they trust the one certificate that it serves with, whatever names that has:
they know its file, and only the server has its key.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl

    import httpx

    from kis.settings import Settings

LOCAL_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a program here finds it
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Endpoint(NamedTuple):
    """Where a server answers; `certificate` is the file of its own, empty without TLS."""

    url: str
    certificate: str = ""

    @classmethod
    def read(cls, text: str) -> "Endpoint":
        """Return what `str` of an endpoint says."""
        url, _, certificate = text.strip().partition(" ")
        return cls(url, certificate)

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.url} {self.certificate}".rstrip()


def endpoint_of(settings: "Settings") -> Endpoint:
    """Return where programs of this machine find a server that has started with `settings`."""
    host = LOCAL_HOSTS.get(settings.host, settings.host)
    return Endpoint(url_of(settings, host), settings.tls_cert)


def url_of(settings: "Settings", host: str) -> str:
    """Return the address of that server at `host`."""
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def client_of(endpoint: Endpoint, timeout_s: float, *, by_name: bool = False) -> "httpx.Client":
    """Return a client for what is at `endpoint`; on another machine it is known `by_name`.

    Raises:
        OSError: its certificate cannot be read.

    """
    import httpx  # noqa: PLC0415 - only when a server is asked

    verify: ssl.SSLContext | bool = False  # of no use, and long to load
    if endpoint.certificate and not by_name:
        verify = pinned(endpoint.certificate)
    elif endpoint.url.startswith("https:"):
        verify = trusting(endpoint.certificate)
    return httpx.Client(base_url=endpoint.url, timeout=timeout_s, trust_env=False, verify=verify)


def pinned(certificate: str) -> "ssl.SSLContext":
    """Return what trusts the holder of the certificate in that file, and nobody else.

    Raises:
        OSError: it cannot be read.

    """
    import ssl  # noqa: PLC0415 - only under TLS

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    _trust(context, certificate)
    return context


def trusting(certificate: str) -> "ssl.SSLContext":
    """Return what trusts whom this machine does, and that certificate: by the names in each.

    Raises:
        OSError: it cannot be read.

    """
    import ssl  # noqa: PLC0415 - only under TLS

    context = ssl.create_default_context()
    if certificate:
        _trust(context, certificate)
    return context


def _trust(context: "ssl.SSLContext", certificate: str) -> None:
    """Add the first certificate of the file: those after it are of whoever issued it.

    To trust those would be to trust all that they issue.
    """
    import ssl  # noqa: PLC0415 - only under TLS

    found = _CERTIFICATE.search(Path(certificate).read_text(encoding="ascii", errors="replace"))
    if found is None:
        message = f"{certificate}: no certificate in it"
        raise OSError(message)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=found[0])
