"""Moments and ids."""

import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

from kis.clock import new_id, now, random_bytes

IN_A_CHILD = """
import os
from kis.clock import random_bytes

random_bytes(1)
end, begin = os.pipe()
if not os.fork():
    os.write(begin, random_bytes(16))
    os._exit(0)
assert os.read(end, 16) != random_bytes(16)
"""


def test_now_is_aware_and_utc() -> None:
    assert now().tzinfo is UTC
    assert now() <= now()


def test_id_is_a_uuid_of_version_seven() -> None:
    parsed = uuid.UUID(new_id())
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert str(parsed) == str(parsed).lower()


def test_id_tells_when_it_was_made() -> None:
    before = now()
    milliseconds = uuid.UUID(new_id()).int >> 80
    after = now()
    least, most = before.timestamp() * 1000, after.timestamp() * 1000
    assert int(least) <= milliseconds <= most + timedelta(milliseconds=1).total_seconds()


def test_ids_differ_within_a_millisecond() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    moments = [identity[:13] for identity in ids]
    assert moments == sorted(moments)


def test_random_bytes_are_never_given_twice() -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(random_bytes, [10] * 4_000))
    assert {len(each) for each in found} == {10}
    assert len(set(found)) == len(found)
    assert len(random_bytes(4096)) == 4096


def test_child_has_random_bytes_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", IN_A_CHILD], check=True)
