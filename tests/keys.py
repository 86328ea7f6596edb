"""Keys for tests that need no database for them."""

from kis.access.keys import EnvKey, Key, KeySet, Scope


def key_set(*secrets: tuple[Scope, str]) -> KeySet:
    """Return the set of these secrets, as the environment would give them."""
    given = [EnvKey("", scope, secret) for scope, secret in secrets]
    return KeySet(Key(key.key_id, key.scope, key.digest, key.holder) for key in given)
