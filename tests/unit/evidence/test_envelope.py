"""Sealing, and that nothing but the seal opens."""

import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Callable

import pytest

from kis.evidence.envelope import (
    ALGORITHM,
    Keyring,
    client_digest,
    key_id_for,
    seal,
    verify_signature,
)

SECRET = b"0123456789abcdef0123456789abcdef"
OLD = b"an older secret, since retired"
BODY = b'{"type":"kis.estimate/1"}'
# Fixed: a signature must verify for as long as the evidence is kept. By hand:
# printf 'KIS-EVIDENCE-1 14 kis.estimate/1 25 {"type":"kis.estimate/1"}' |
#   openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary | base64
SIGNATURE = "35DK6MTboWuXVuoG3sn4697T8aJ2QJvZ2gsgg+TmAxg="
KEY_ID = "evk-ac0a74f89f02"


def test_the_seal_of_these_bytes_never_changes() -> None:
    envelope = seal(BODY, Keyring.of(SECRET))
    assert envelope.algorithm == ALGORITHM == "HMAC-SHA256"
    assert envelope.key_id == KEY_ID
    assert envelope.statement_digest == hashlib.sha256(BODY).hexdigest()
    assert envelope.signature == SIGNATURE


def test_the_tag_covers_label_type_and_body_behind_their_lengths() -> None:
    message = b'KIS-EVIDENCE-1 14 kis.estimate/1 25 {"type":"kis.estimate/1"}'
    tag = hmac.new(SECRET, message, "sha256").digest()
    assert base64.b64encode(tag).decode() == SIGNATURE


def test_a_seal_opens_with_its_own_secret_and_bytes_only() -> None:
    assert verify_signature(BODY, SIGNATURE, SECRET)
    assert not verify_signature(BODY + b" ", SIGNATURE, SECRET)
    assert not verify_signature(BODY, SIGNATURE, OLD)


@pytest.mark.parametrize(
    "respell",
    [
        lambda _: "",
        lambda text: text[:-1],
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: "\t" + text,
        lambda text: text[:4] + " " + text[4:],
        lambda text: text[:4] + "*" + text[4:],
        lambda text: text[:-2] + chr(ord(text[-2]) + 1) + "=",
        lambda text: text.swapcase(),
        lambda text: text + "\ud800",
        lambda text: text.replace("=", "\uff1d"),
    ],
)
def test_a_signature_has_one_spelling(respell: Callable[[str], str]) -> None:
    assert not verify_signature(BODY, respell(SIGNATURE), SECRET)


def test_the_trailing_bits_are_a_real_alternative_spelling() -> None:
    other = SIGNATURE[:-2] + chr(ord(SIGNATURE[-2]) + 1) + "="
    assert base64.b64decode(other, validate=True) == base64.b64decode(SIGNATURE)


def test_every_flipped_bit_is_noticed() -> None:
    tag = base64.b64decode(SIGNATURE)
    for bit in range(len(tag) * 8):
        flipped = bytearray(tag)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verify_signature(BODY, base64.b64encode(flipped).decode(), SECRET)


def test_a_rotated_keyring_seals_with_the_new_key_and_knows_the_old() -> None:
    before, after = Keyring.of(OLD), Keyring.of(SECRET, OLD)
    envelope = seal(BODY, before)
    assert seal(BODY, after).key_id == key_id_for(SECRET) != envelope.key_id
    assert verify_signature(BODY, envelope.signature, after.secrets[envelope.key_id])


def test_key_ids_are_short_and_distinct_and_tell_nothing() -> None:
    key_id = key_id_for(SECRET)
    assert key_id.startswith("evk-")
    assert len(key_id) == len("evk-") + 12
    assert key_id[4:].isalnum()
    assert key_id != key_id_for(SECRET + b"0")
    assert hashlib.sha256(SECRET).hexdigest()[:12] not in key_id


def test_a_keyring_does_not_show_its_secrets() -> None:
    keyring = Keyring.of(SECRET, OLD)
    for shown in (repr(keyring), str(keyring), f"{keyring}"):
        assert keyring.current_id in shown
        assert "0123" not in shown
        assert "older" not in shown


def test_a_keyring_cannot_change() -> None:
    secrets = {key_id_for(SECRET): SECRET}
    keyring = Keyring(key_id_for(SECRET), secrets)
    secrets.clear()
    assert list(keyring.secrets) == [key_id_for(SECRET)]
    with pytest.raises(TypeError):
        keyring.secrets["evk-x"] = OLD  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        keyring.current_id = "evk-x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("current_id", "secrets"),
    [
        (key_id_for(b""), {key_id_for(b""): b""}),
        (key_id_for(b"fifteen bytes.."), {key_id_for(b"fifteen bytes.."): b"fifteen bytes.."}),
        ("evk-000000000000", {"evk-000000000000": SECRET}),
        (key_id_for(SECRET), {}),
        (key_id_for(SECRET), {key_id_for(OLD): OLD}),
    ],
)
def test_a_wrong_keyring_is_refused_without_its_secrets(
    current_id: str, secrets: dict[str, bytes]
) -> None:
    with pytest.raises(ValueError, match=r"secret|keyring") as refusal:
        Keyring(current_id, secrets)
    assert not any(s and s.decode() in str(refusal.value) for s in secrets.values())


def test_address_is_told_by_nothing_but_the_secret() -> None:
    """Another secret, estimate or address gives another digest; no two inputs run together."""
    digests = {
        client_digest(estimate_id, client, secret)
        for secret in (b"s" * 16, b"t" * 16)
        for estimate_id, client in (("e1", "10.0.0.7"), ("e2", "10.0.0.7"), ("e1", "10.0.0.8"),
                                    ("e1 1", "0.0.0.7"), ("e1", "\ud800"))
    }  # fmt: skip
    assert len(digests) == 10
    assert all(len(digest) == 64 for digest in digests)
