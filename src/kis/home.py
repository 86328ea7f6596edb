"""KIS_HOME on disk: the runbook's folders, and the secrets in `kis-backend/.env`."""

import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kis.errors import Text
from kis.settings import SettingsError, descriptions, env_file_of, read_env_file

FOLDERS = (
    "kis-backend",
    "data",
    "logs",
    "backups",
    "evidence-samples",
    "knowledge-staging",
)
_FOLDER_MODE = 0o750
_SECRET_BYTES = 32
OTHERS = 0o037
"""Bits of a mode with which more than the owner, and a group that reads, has the secrets."""
GROUP_READS = 0o040
_HEADING = "# KIS 설정과 비밀값. 이 파일을 공유하지 마십시오. Settings and secrets: do not share.\n"


def prepare_home(home: Path) -> None:
    """Create `home` and the runbook's folders in it; leave alone what is there.

    Raises:
        SettingsError: a folder cannot be created.

    """
    with _trouble_with(home):
        home.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        for name in FOLDERS:
            (home / name).mkdir(_FOLDER_MODE, exist_ok=True)


def ensure_secrets(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Complete the .env of a prepared `home`; return what was newly generated.

    A secret that `environ` or the file sets is kept; all other lines of the file
    stay byte for byte. A file that others can read becomes 0600; one that only its group
    can read as well, as root gives it to the service, stays so.

    Raises:
        SettingsError: the file cannot be read or written.

    """
    with _trouble_with(home), _only_one_at_a_time(env_file_of(home).parent):
        # A link is followed: the file it names is the one to replace.
        path = env_file_of(home).resolve()
        stored = read_env_file(path)
        generated = {
            setting.env: secrets.token_hex(_SECRET_BYTES)
            for setting in descriptions()
            if setting.is_generated
            and not environ.get(setting.env, "").strip()
            and setting.env not in stored
        }
        if generated:
            _replace(path, _with_secrets(path, generated))
        elif path.exists() and path.stat().st_mode & OTHERS:
            path.chmod(0o600)
        return generated


def _with_secrets(path: Path, generated: Mapping[str, str]) -> bytes:
    """Return the content of `path` with `generated` filled in or appended."""
    content = path.read_bytes() if path.exists() else _HEADING.encode()
    for name, secret in generated.items():
        line = f"{name}={secret}".encode()
        # One line a name, because the runbook's sed replaces the value on each.
        content, found = re.subn(rb"(?m)^%s=[ \t]*$" % name.encode(), line, content, count=1)
        if not found:
            content += (b"" if not content or content.endswith(b"\n") else b"\n") + line + b"\n"
    return content


def _replace(path: Path, content: bytes) -> None:
    """Put `content` at `path`: after a power cut the old file or the new one.

    Mode 0600, or 0640 where it was.
    """
    # mkstemp creates 0600: the secrets are never readable, not even for a moment.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".env.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            if path.exists():
                # When root completes the file, the service must still be able to read it.
                before = path.stat()
                os.fchown(descriptor, before.st_uid, before.st_gid)
                if not before.st_mode & OTHERS:
                    os.fchmod(descriptor, 0o600 | before.st_mode & GROUP_READS)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    with _opened(path.parent) as folder:
        os.fsync(folder)


@contextmanager
def _only_one_at_a_time(folder: Path) -> Iterator[None]:
    """Let two services that start together agree on one set of secrets."""
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _trouble_with(home: Path) -> Iterator[None]:
    """Turn an operating system error into words about KIS_HOME."""
    try:
        yield
    except OSError as error:
        raise SettingsError(
            Text(
                f"KIS_HOME={str(home)!r} 폴더를 쓸 수 없습니다: {error}",
                f"KIS_HOME={str(home)!r} cannot be used: {error}",
            )
        ) from None
