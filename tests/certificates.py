"""Certificates for tests: of one's own, or issued by another."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Pair(NamedTuple):
    """The files of a certificate, with its chain, and of its key; what they hold."""

    cert: Path
    key: Path
    certificate: x509.Certificate
    secret: ec.EllipticCurvePrivateKey

    @property
    def environ(self) -> dict[str, str]:
        """The settings that name it."""
        return {"TLS_CERT": str(self.cert), "TLS_KEY": str(self.key)}


def make_pair(
    folder: Path, name: str = "kis", *, names: tuple[str, ...] = ("kis.example",),
    days: tuple[int, int] = (-1, 30), issuer: Pair | None = None, password: bytes = b"",
) -> Pair:  # fmt: skip
    """Write `name`.pem and `name`.key, valid for those `days` from today.

    Issued by itself or `issuer`, the key locked with `password`.
    """
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        .sign(issuer.secret if issuer else secret, SHA256())
    )
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key", made, secret)
    chain = [made, issuer.certificate] if issuer else [made]
    pair.cert.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
    locked: KeySerializationEncryption = (
        BestAvailableEncryption(password) if password else NoEncryption()
    )
    pair.key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return pair


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
