"""The server's certificate: what is told of one that cannot be used, and how one is renewed."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from kis.serving.certificate import context_of, load_pair, name_in
from kis.serving.process import CannotServe, options_of
from kis.telemetry import close_logging, configure_logging
from tests.certificates import Pair, make_pair
from tests.services import settings_in

Made = tuple[Path, Path]


def with_other_key(folder: Path) -> Made:
    return make_pair(folder).cert, make_pair(folder, "other").key


def with_text(folder: Path, *, of: str) -> Made:
    pair = make_pair(folder)
    {"cert": pair.cert, "key": pair.key}[of].write_text("no PEM")
    return pair.cert, pair.key


def swapped(folder: Path) -> Made:
    pair = make_pair(folder)
    return pair.key, pair.cert


def files(pair: Pair) -> Made:
    return pair.cert, pair.key


@pytest.mark.parametrize(
    ("make", "setting", "told"),
    [
        (lambda f: (f / "none.pem", make_pair(f).key), "TLS_CERT", "no such file"),
        (lambda f: (make_pair(f).cert, f / "none.key"), "TLS_KEY", "no such file"),
        (lambda f: (f, make_pair(f).key), "TLS_CERT", "cannot be read"),
        (lambda f: with_text(f, of="cert"), "TLS_CERT", "no certificate in PEM"),
        (lambda f: with_text(f, of="key"), "TLS_KEY", "no private key in PEM"),
        (swapped, "TLS_CERT", "no certificate in PEM"),
        (with_other_key, "TLS_KEY", "not the key of"),
        (lambda f: files(make_pair(f, days=(-9, -1))), "TLS_CERT", "not valid now"),
        (lambda f: files(make_pair(f, days=(1, 9))), "TLS_CERT", "not valid now"),
        (lambda f: files(make_pair(f, password=b"x")), "TLS_KEY", "encrypted with a password"),
    ],
)
def test_what_is_wrong_is_told_in_both_languages(
    tmp_path: Path, make: Callable[[Path], Made], setting: str, told: str
) -> None:
    cert, key = make(tmp_path)
    with pytest.raises(CannotServe) as caught:
        load_pair(cert, key)
    text = caught.value.text
    path = {"TLS_CERT": cert, "TLS_KEY": key}[setting]
    assert text.en.startswith(f"{setting}={path}: ")
    assert text.ko.startswith(f"{setting}={path}: ")
    assert told in text.en
    assert any("가" <= character <= "힣" for character in text.ko.removeprefix(str(path)))


@pytest.mark.parametrize("given", ["TLS_CERT", "TLS_KEY"])
def test_one_without_the_other_is_refused(tmp_path: Path, given: str) -> None:
    settings = settings_in(tmp_path / "home", **{given: make_pair(tmp_path).environ[given]})
    with pytest.raises(CannotServe, match="go together"):
        options_of(settings)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("kis.example", "other.example"), "kis.example"),
        (("*.example", "kis.example"), "kis.example"),
        (("*.example",), ""),
        (("10.0.0.7",), "10.0.0.7"),
        (("10.0.0.7", "kis.example"), "kis.example"),
    ],
)
def test_name_that_a_browser_is_sent_to(tmp_path: Path, names: tuple[str, ...], found: str) -> None:
    assert name_in(make_pair(tmp_path, names=names).cert) == found


# --- renewal ----------------------------------------------------------------------------------


@contextmanager
def served(pair: Pair) -> Iterator[Callable[[], bytes]]:
    """Serve TLS; yield what asks for the certificate that is served."""
    config = SimpleNamespace(ssl_certfile=str(pair.cert), ssl_keyfile=str(pair.key))
    context = context_of(config, None)
    any_at_all = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    any_at_all.check_hostname = False
    any_at_all.verify_mode = ssl.CERT_NONE
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(1)

        def ask() -> bytes:
            thread = threading.Thread(target=shake_hands)
            thread.start()
            # No name is sent: many clients here know an address alone.
            plain = socket.create_connection(listener.getsockname())
            with any_at_all.wrap_socket(plain) as connection:
                found = connection.getpeercert(binary_form=True)
            thread.join()
            assert found is not None
            return found

        yield ask


def put(pair: Pair, other: Pair) -> None:
    """Renew `pair` as certbot does, one file after the other."""
    other.cert.replace(pair.cert)
    other.key.replace(pair.key)


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.cert.read_text())


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    settings = settings_in(tmp_path / "home")
    configure_logging(settings)
    yield settings.log_file
    close_logging()


def test_renewed_certificate_is_served_without_a_restart(tmp_path: Path, log: Path) -> None:
    pair, other = make_pair(tmp_path), make_pair(tmp_path, "other")
    with served(pair) as ask:
        before = der(pair)
        assert ask() == before
        put(pair, other)
        assert ask() == der(pair) != before
    assert "is served from now on" in log.read_text(encoding="utf-8")


def test_half_a_renewal_changes_nothing_and_is_told_once(tmp_path: Path, log: Path) -> None:
    pair, other = make_pair(tmp_path), make_pair(tmp_path, "other")
    with served(pair) as ask:
        before = der(pair)
        other.cert.replace(pair.cert)
        assert ask() == ask() == before
        other.key.replace(pair.key)
        assert ask() == der(pair)
    assert log.read_text(encoding="utf-8").count("not the key of") == 1
    assert "ERROR" not in log.read_text(encoding="utf-8")


def test_certificate_that_is_taken_away_stays(tmp_path: Path, log: Path) -> None:
    pair = make_pair(tmp_path)
    with served(pair) as ask:
        before = der(pair)
        pair.cert.unlink()
        assert ask() == before
    assert "no such file" in log.read_text(encoding="utf-8")
