"""Programs of this machine find the server, and give their keys to no other."""

import ssl
from pathlib import Path

import pytest

from kis.ops.reaching import Endpoint, client_of, endpoint_of, pinned, trusting
from tests.certificates import Pair, make_pair
from tests.services import settings_in

ELSEWHERE = "https://kis.example"


def is_trusted(client: ssl.SSLContext, server: Pair, name: str | None = None) -> bool:
    """Shake hands in memory."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(server.cert, server.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        serving.wrap_bio(to_server, to_client, server_side=True),
    ]
    try:
        for _ in range(4):
            for side in sides:
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError:
        return False
    return sides[0].version() is not None


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:3000"),
        ({"HOST": "0.0.0.0", "PORT": "80"}, "http://127.0.0.1:80"),  # noqa: S104 - read, not bound
        ({"HOST": "::"}, "http://[::1]:3000"),
        ({"HOST": "10.0.0.7"}, "http://10.0.0.7:3000"),
        ({"TLS_CERT": "/etc/kis.pem"}, "https://127.0.0.1:3000"),
    ],
)
def test_where_a_server_of_some_settings_is(
    tmp_path: Path, environ: dict[str, str], url: str
) -> None:
    found = endpoint_of(settings_in(tmp_path, **environ))
    assert found == (url, environ.get("TLS_CERT", ""))


@pytest.mark.parametrize(
    "endpoint", [Endpoint("http://a:1"), Endpoint("https://a:1", "/of my/cert.pem"), Endpoint("")]
)
def test_endpoint_is_one_line(endpoint: Endpoint) -> None:
    assert Endpoint.read(f"{endpoint}\n") == endpoint


def test_a_pin_is_for_one_certificate_whatever_its_names(tmp_path: Path) -> None:
    own, other = make_pair(tmp_path), make_pair(tmp_path, "other")
    assert is_trusted(pinned(str(own.cert)), own)
    assert not is_trusted(pinned(str(own.cert)), other)


def test_a_pin_is_not_for_all_that_its_issuer_issues(tmp_path: Path) -> None:
    """The file has the issuer's certificate too, as servers send it along."""
    issuer = make_pair(tmp_path, "issuer")
    own, other = (make_pair(tmp_path, name, issuer=issuer) for name in ("own", "other"))
    assert is_trusted(pinned(str(own.cert)), own)
    assert not is_trusted(pinned(str(own.cert)), other)
    assert not is_trusted(trusting(str(own.cert)), other, "kis.example")


def test_from_elsewhere_the_name_counts(tmp_path: Path) -> None:
    own = make_pair(tmp_path)
    assert is_trusted(trusting(str(own.cert)), own, "kis.example")
    assert not is_trusted(trusting(str(own.cert)), own, "other.example")
    assert not is_trusted(trusting(""), own, "kis.example")


def test_certificate_that_cannot_be_read_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("none.pem", "empty.pem"):
        with pytest.raises(OSError, match=name):
            client_of(Endpoint(ELSEWHERE, str(tmp_path / name)), 1.0)
