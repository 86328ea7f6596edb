"""The server's certificate and key: checked before it starts, and renewed while it runs."""

import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from kis import clock
from kis.errors import Text
from kis.serving.process import CannotServe

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

CERTIFICATE, KEY = "TLS_CERT", "TLS_KEY"
"""The settings."""

logger = logging.getLogger("kis")


def context_of(config: Any, _default: object) -> ssl.SSLContext:
    """Return the TLS of a server, as `uvicorn.Config` asks for it.

    A file that has changed is taken up by the next connection; one that cannot be used
    is told in the log, and the certificate of before stays.

    Raises:
        CannotServe: as `load_pair`.

    """
    certificate, key = Path(config.ssl_certfile), Path(config.ssl_keyfile)
    context = load_pair(certificate, key)
    context.sni_callback = _Renewal(certificate, key, context).choose
    return context


class _Renewal:
    """Gives each connection the certificate that is there when it comes."""

    def __init__(self, certificate: Path, key: Path, context: ssl.SSLContext) -> None:
        self._files = (certificate, key)
        self._seen = self._look()
        self._context = context

    def choose(self, connection: ssl.SSLObject, _name: object, _context: object) -> None:
        """Answer with the pair of now; called in every handshake, with or without a name."""
        found = self._look()
        if found != self._seen:
            self._seen = found
            self._renew()
        connection.context = self._context

    def _renew(self) -> None:
        try:
            self._context = load_pair(*self._files)
        except CannotServe as error:
            logger.warning("the certificate stays as it was: %s / %s", error.text.ko, error.text.en)
        else:
            logger.info("the certificate in %s is served from now on", self._files[0])

    def _look(self) -> list[tuple[int, int] | None]:
        return [_stamp(path) for path in self._files]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def load_pair(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the TLS of a server that has this certificate, with its chain, and this key.

    Raises:
        CannotServe: either is missing or cannot be used, they are not of one another, or
            the certificate is not valid now.

    """
    leaf = _load_certificate(certificate)
    if _plain(leaf.public_key()) != _plain(_load_key(key)):
        raise _unusable(
            KEY, key,
            f"{certificate} 인증서의 키가 아닙니다.", f"it is not the key of {certificate}.",
        )  # fmt: skip
    now, first, last = clock.now(), leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not first <= now <= last:
        raise _unusable(
            CERTIFICATE, certificate,
            f"지금은 유효하지 않은 인증서입니다({first:%Y-%m-%d} ~ {last:%Y-%m-%d})."
            " 갱신한 뒤 다시 시작하십시오.",
            f"it is not valid now ({first:%Y-%m-%d} to {last:%Y-%m-%d}): renew it.",
        )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise _unusable(
            CERTIFICATE, certificate, f"쓸 수 없습니다: {error}", f"it cannot be used: {error}"
        ) from error
    return context


def name_in(certificate: Path) -> str:
    """Return the first name, or else address, that the certificate is for; empty: no plain one.

    Raises:
        CannotServe: it cannot be read.

    """
    try:
        held = _load_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return ""
    names = held.value.get_values_for_type(x509.DNSName)
    addresses = held.value.get_values_for_type(x509.IPAddress)
    plain = (name for name in (*names, *map(str, addresses)) if not name.startswith("*"))
    return next(plain, "")


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(CERTIFICATE, path))[0]
    except ValueError as error:
        raise _unusable(
            CERTIFICATE, path, "PEM 형식의 인증서가 없습니다.", "there is no certificate in PEM."
        ) from error


def _load_key(path: Path) -> "PublicKeyTypes":
    """Return the public half of a private key."""
    try:
        return load_pem_private_key(_read(KEY, path), None).public_key()
    except TypeError as error:
        raise _unusable(
            KEY, path,
            "암호로 잠긴 키입니다. 암호 없이 저장하고 파일의 권한으로 지키십시오.",
            "it is encrypted with a password: store it without, guarded by its permissions.",
        ) from error  # fmt: skip
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(
            KEY, path, "PEM 형식의 개인 키가 없습니다.", "there is no private key in PEM."
        ) from error


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _unusable(setting, path, "파일이 없습니다.", "there is no such file.") from error
    except OSError as error:
        raise _unusable(
            setting, path, f"읽을 수 없습니다: {error}", f"it cannot be read: {error}"
        ) from error


def _plain(key: "PublicKeyTypes") -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _unusable(setting: str, path: Path, korean: str, english: str) -> CannotServe:
    return CannotServe(Text(f"{setting}={path}: {korean}", f"{setting}={path}: {english}"))
