"""What a restore does to keys: none gets back what it lost, and none is lost."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from kis.access import store
from kis.access.rules import StoredKey
from kis.audit.store import load_entries
from kis.db.engine import Database
from kis.evidence import key_store
from kis.evidence.key_store import StoredSecret
from kis.evidence.keys import current_of
from kis.evidence.master import MasterKey
from kis.ops.keys.carrying import Carried, carry_over
from kis.ops.keys.rows import KeyRows, load_rows

MADE = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SINCE, NOW = MADE + 10 * DAY, MADE + 20 * DAY
KEY = StoredKey("api", "api-b", "api-b", "한빛", MADE, None, None, MADE, b"digest")
MASTER = MasterKey("the-one-that-is-set")
OTHER = MasterKey("another")


def secret(key_id: str, created_at: datetime = MADE, master: MasterKey = MASTER) -> StoredSecret:
    locked = master.lock(key_id, b"secret", bytes(12))
    return StoredSecret(key_id, master.master_id, created_at, None, None, locked)


FIRST, SECOND, THIRD = secret("evk-1"), secret("evk-2", SINCE), secret("evk-3", SINCE + DAY)


def carried(
    restored: Database, ours: Iterable[StoredKey | StoredSecret],
    theirs: Iterable[StoredKey | StoredSecret],
) -> tuple[Carried, KeyRows]:  # fmt: skip
    """Fill `restored` with what a backup has (`ours`), and carry over what is there now."""
    ours, theirs = list(ours), list(theirs)

    def work(connection: Connection) -> tuple[Carried, KeyRows]:
        store.put_keys(connection, [row for row in ours if isinstance(row, StoredKey)])
        key_store.put(connection, [row for row in ours if isinstance(row, StoredSecret)])
        found = carry_over(connection, rows_of(theirs), MASTER, NOW)
        return found, load_rows(connection)

    return restored.write_now(work)


def rows_of(rows: Iterable[StoredKey | StoredSecret]) -> KeyRows:
    rows = list(rows)
    return KeyRows(
        tuple(row for row in rows if isinstance(row, StoredKey)),
        tuple(row for row in rows if isinstance(row, StoredSecret)),
    )


def test_nothing_happened_since(migrated: Database) -> None:
    used = KEY._replace(last_used_at=SINCE)
    found, rows = carried(migrated, [KEY, FIRST], [used, FIRST])
    assert found == Carried([], [])
    assert rows == rows_of([used, FIRST])
    assert migrated.read_now(lambda c: load_entries(c, KEY.key_id)) == []


def test_key_that_was_revoked_since_stays_so(migrated: Database) -> None:
    revoked = KEY._replace(revoked_at=SINCE)
    assert carried(migrated, [KEY], [revoked]) == (Carried([], ["api-b"]), rows_of([revoked]))
    (entry,) = migrated.read_now(lambda c: load_entries(c, KEY.key_id))
    assert (entry.at, entry.action, entry.reason) == (NOW, "key.carry_over", "ended")


def test_digest_of_a_revoked_key_of_the_env_comes_with_it(migrated: Database) -> None:
    given = KEY._replace(digest=None)
    revoked = given._replace(revoked_at=SINCE, digest=b"digest")
    assert carried(migrated, [given], [revoked])[1] == rows_of([revoked])


def test_key_that_was_revoked_in_a_later_backup_stays_so_as_well(migrated: Database) -> None:
    """After an earlier restore to a moment before."""
    revoked = KEY._replace(revoked_at=SINCE, digest=b"digest")
    given = KEY._replace(digest=None)
    assert carried(migrated, [revoked], [given]) == (Carried([], []), rows_of([revoked]))


def test_earlier_end_counts(migrated: Database) -> None:
    early, late = KEY._replace(expires_at=SINCE), KEY._replace(expires_at=NOW)
    assert carried(migrated, [late], [early]) == (Carried([], ["api-b"]), rows_of([early]))
    assert carried(migrated, [early], [late]) == (Carried([], []), rows_of([early]))
    assert carried(migrated, [early], [KEY]) == (Carried([], []), rows_of([early]))


def test_key_that_was_made_since_comes_along(migrated: Database) -> None:
    made = KEY._replace(key_id="api-c", created_at=SINCE, digest=b"other")
    found, rows = carried(migrated, [KEY], [KEY, made])
    assert (found, rows) == (Carried(["api-c"], []), rows_of([KEY, made]))
    (entry,) = migrated.read_now(lambda c: load_entries(c, "api-c"))
    assert entry.reason == "made"


def test_key_of_the_backup_alone_stays(migrated: Database) -> None:
    assert carried(migrated, [KEY, FIRST], []) == (Carried([], []), rows_of([KEY, FIRST]))


def test_secret_that_seals_now_goes_on_sealing(migrated: Database) -> None:
    retired = FIRST._replace(retired_at=SINCE)
    found, rows = carried(migrated, [FIRST], [retired, SECOND])
    assert found == Carried(["evk-2"], ["evk-1"])
    assert rows == rows_of([retired, SECOND])


def test_secret_that_was_compromised_since_stays_so(migrated: Database) -> None:
    retired = FIRST._replace(retired_at=SINCE)
    leaked = retired._replace(compromised_since=MADE)
    found, rows = carried(migrated, [retired, SECOND], [leaked, SECOND])
    assert (found, rows) == (Carried([], ["evk-1"]), rows_of([leaked, SECOND]))


def test_moment_of_a_compromise_that_was_put_right_stays_right(migrated: Database) -> None:
    retired = FIRST._replace(retired_at=SINCE)
    wrong, right = (retired._replace(compromised_since=at) for at in (MADE, SINCE))
    assert carried(migrated, [wrong, SECOND], [right, SECOND])[1] == rows_of([right, SECOND])


def test_of_two_lines_one_seals(migrated: Database) -> None:
    """An earlier restore lost the second one; then a third was made; now the second is back."""
    retired = FIRST._replace(retired_at=SINCE)
    rows = carried(migrated, [retired, THIRD], [retired, SECOND])[1]
    assert rows == rows_of([retired, SECOND, THIRD._replace(retired_at=NOW)])
    assert current_of(rows.secrets) == SECOND


def test_retired_secret_does_not_come_back(migrated: Database) -> None:
    """It may be known to those for whom it was replaced."""
    retired = FIRST._replace(retired_at=SINCE, compromised_since=SINCE)
    rows = carried(migrated, [retired, SECOND], [FIRST])[1]
    assert rows == rows_of([retired, SECOND])


def test_one_seals_whatever_was_done_to_the_rows(migrated: Database) -> None:
    first, second = FIRST._replace(retired_at=SINCE), SECOND._replace(retired_at=SINCE)
    rows = carried(migrated, [FIRST, second], [first, SECOND])[1]
    assert current_of(rows.secrets) == SECOND


def test_of_two_locks_the_one_that_opens(migrated: Database) -> None:
    under_other = secret("evk-1", master=OTHER)
    for ours, theirs in ((FIRST, under_other), (under_other, FIRST)):
        assert carried(migrated, [ours], [theirs]) == (Carried([], []), rows_of([FIRST]))


def test_of_two_locks_that_do_not_open_the_one_of_now(migrated: Database) -> None:
    lost = secret("evk-1", master=OTHER)._replace(master_id="lost-other")
    ours = secret("evk-1", master=MasterKey("a third one"))
    assert carried(migrated, [ours], [lost])[1] == rows_of([lost])
