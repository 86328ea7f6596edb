r"""The log: one line a fact, in a form that the runbook's pipelines count right.

The lines of LOG_FORMAT=text:

    127.0.0.1 2026-11-22T10:15:00Z "POST /v1/estimate/create" 201 4.2ms key=bcd request=fgh
    1 cache_hit 2026-11-22T10:15:00Z request=fgh
    2026-11-22T10:15:00Z WARNING NEED_KNOWLEDGE_UPDATE $.main missing=brand+ABB request=fgh
    2026-11-22T10:15:00Z ERROR what we failed at request=fgh
    <tab>Traceback (most recent call last): and the rest of it, each line after a tab

The runbook greps for bare words and digits, so nothing else on a line may hold
them. Whatever a client sends, this is guaranteed:

- `POST` and `GET` stand only in access lines, as the method;
- `401`, `403` and `429` stand only in access lines, as the status;
- `cache_hit` stands only in lookup lines;
- `ERROR` stands only in faults, once in each; `error` in any letter case stands
  only in faults and their tracebacks;
- `NEED_KNOWLEDGE_UPDATE` and `BRAND_CONFLICT` stand only in warnings, as the
  code, once a request, of a batch once a line;
- no space, quote or control character of a client's text arrives as such: a
  line starts where we started it;
- no query string, no secret of the settings and no key is written.

Where such a word is not ours to write, its second character is percent-encoded:
`4%301`, `e%72ror`. That goes for the id of an estimate too: where its hex digits
hold 403, it would be counted as a refused request. Request paths are
percent-encoded as a whole, so they still mean the same when pasted into a URL.

Not guaranteed: `grep "POST /v1/estimate/create"` also finds longer paths that
begin so; the figures need LOG_FORMAT=text and LOG_LEVEL=INFO or DEBUG; another
program that writes into the file writes what it likes.
"""

import asyncio
import fcntl
import io
import json
import logging
import os
import re
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from logging.handlers import WatchedFileHandler
from typing import NamedTuple
from urllib.parse import quote

from kis import clock
from kis.errors import Text
from kis.settings import Settings, SettingsError

_REQUEST_ID_BYTES = 10
_MAX_CHARACTERS = 200
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
# Visible ASCII without quote, backslash, percent and question mark. "@" has to be
# in: encoded as %40 it would make a 401 of a 1 that follows.
_UNENCODED = "!#$&'()*+,-./:;<=>@[]^_`{|}~"
# No vowels: random letters never spell a word that the runbook looks for.
_HEX_TO_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")

_CODES = "NEED_KNOWLEDGE_UPDATE|BRAND_CONFLICT"
_WORDS_EVEN_IN_FAULTS = rf"40[13]|429|POST|GET|cache_hit|ERROR|{_CODES}"
_FAULT_WORDS = re.compile(_WORDS_EVEN_IN_FAULTS)
_WORDS = re.compile(rf"(?i:error)|{_WORDS_EVEN_IN_FAULTS}")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_TOKEN = re.compile("kis_(?:api|admin)_[0-9A-Za-z_]*")

_encode_json = json.JSONEncoder(separators=(",", ":")).encode
_with_traceback = logging.Formatter().format


class LogFile(WatchedFileHandler):
    """The handler of `logs/kis-backend.log`; reopens it after logrotate moved it.

    `as_json` and `level` are read by the functions below, which hand over whole
    lines: a LogRecord for each of them would cost more than all the rest.
    """

    def __init__(self, settings: Settings) -> None:
        """Open the file of `settings` for appending."""
        super().__init__(settings.log_file, encoding="utf-8", errors="backslashreplace")
        self.setLevel(settings.log_level)
        self.as_json = settings.log_format == "json"
        secrets = (
            settings.api_key, settings.admin_api_key, settings.evidence_secret,
            settings.master_key,
        )  # fmt: skip
        self._secrets = tuple(filter(None, secrets))
        self._gathered: list[str] = []
        self._turn_of: asyncio.AbstractEventLoop | None = None

    def _open(self) -> io.TextIOWrapper:
        # Unbuffered, so that lines are one write(2) with O_APPEND: those of two
        # processes do not mix, and a crash loses none that was written.
        return io.TextIOWrapper(
            io.FileIO(self.baseFilename, "a"),
            encoding=self.encoding,
            errors=self.errors,
            write_through=True,
        )

    def write_line(self, line: str) -> None:
        """Append `line`, or some at once, ended by a newline. A full disk fails no request.

        On an event loop it is appended with all lines of this turn, when that ends, as the
        answers are sent then. To write gives up the interpreter: docs/performance.md.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._append(line)
            return
        self.acquire()
        self._gathered.append(line)
        self.release()
        if self._turn_of is not loop:
            self._turn_of = loop
            loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._turn_of = None
        self._append("")

    def _append(self, line: str) -> None:
        """Write what was gathered, and `line`."""
        self.acquire()
        lines = "".join((*self._gathered, line))
        self._gathered.clear()
        try:
            if lines:
                self.reopenIfNeeded()
                if self.stream is None:
                    self.stream = self._open()
                self.stream.write(lines)
        except OSError:
            self.handleError(logging.makeLogRecord({"msg": lines}))
        finally:
            self.release()

    def close(self) -> None:
        """Write what was gathered, and close the file."""
        self._append("")
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of the standard `logging`: faults, and what libraries say."""
        try:
            text = self.without_secrets(_with_traceback(record))
            line = _json_record(record, text) if self.as_json else _text_record(record, text)
        except Exception:  # noqa: BLE001 - as in logging itself: a bad record stops no request
            self.handleError(record)
        else:
            self._append(line)

    def without_secrets(self, text: str) -> str:
        """Return `text` with every secret of the settings, and every key's, blotted out."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _TOKEN.sub("***", text) if "kis_" in text else text

    def shortened(self, text: str) -> str:
        """Return what may be logged of a client's `text`."""
        text = self.without_secrets(text)
        return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."


_log_file: LogFile | None = None


def configure_logging(settings: Settings) -> None:
    """Send all logging of this process to the log file of `settings`.

    Start uvicorn with `log_config=None`, or it puts its own handlers back.

    Raises:
        SettingsError: the file cannot be written.

    """
    global _log_file  # noqa: PLW0603 - a process has one log, as logging has one root
    try:
        opened = LogFile(settings)
    except OSError as error:
        raise SettingsError(
            Text(f"로그를 쓸 수 없습니다: {error}", f"cannot write the log: {error}")
        ) from None
    close_logging()
    logging.getLogger().addHandler(opened)
    logging.getLogger().setLevel(settings.log_level)
    # Our access line tells it all; of uvicorn only what went wrong is news.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    _log_file = opened
    _append_standard_streams()


def close_logging() -> None:
    """Close the log file; what is logged before `configure_logging` opens one is dropped."""
    global _log_file  # noqa: PLW0603 - as above
    if _log_file is not None:
        logging.getLogger().removeHandler(_log_file)
        _log_file.close()
        _log_file = None


def shares_log(descriptor: int) -> bool:
    """Return whether what is written to `descriptor` lands in the log file.

    The runbook starts the service with `> logs/kis-backend.log 2>&1`; a secret
    that is shown once must not be shown there.
    """
    if _log_file is None or _log_file.stream is None:
        return False
    try:
        return os.path.sameopenfile(descriptor, _log_file.stream.fileno())
    except OSError:
        return False


def _append_standard_streams() -> None:
    # A shell's ">" writes at an offset of its own, over lines that we appended.
    for descriptor in (1, 2):
        if shares_log(descriptor):
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)


def letters_of(raw: bytes) -> str:
    """Return `raw` in letters, two a byte: an id that no grep takes for a status."""
    return raw.hex().translate(_HEX_TO_LETTERS)


def new_request_id() -> str:
    """Return 20 random letters."""
    return letters_of(clock.random_bytes(_REQUEST_ID_BYTES))


def log_access(
    client: str,
    method: str,
    path: str,
    status: int,
    ms: float,
    key_id: str,
    request_id: str,
    *,
    hit: bool = False,
) -> None:
    """Log an answered request. `path` is decoded, `client` its address, `ms` how long it took.

    `key_id` is empty for a request without a key; it and `request_id` are made
    by `letters_of`. With `hit` the line of `log_lookup` for a hit comes before it,
    in the same write: a write costs more than all the rest of a line.
    """
    log = _log_file
    if log is None or log.level > logging.INFO:
        return
    lookup = _lookup_line(log, request_id, hit=True) if hit else ""
    client = log.shortened(client)
    path = log.shortened(path.partition("?")[0])
    if log.as_json:
        facts = {"client": client, "method": method, "path": path, "status": status}
        took = {"milliseconds": round(ms, 3), "keyId": key_id, "requestId": request_id}
        log.write_line(lookup + _json_line("INFO", "access", {**facts, **took}))
        return
    verb = method if method in _METHODS else _inert(method)
    log.write_line(
        f'{lookup}{_inert(client)} {_now()} "{verb} {_inert(path)}" {status} {two_digits(ms)}ms'
        f" key={_inert(key_id)} request={request_id}\n"
    )


def log_lookup(hit: bool, request_id: str) -> None:  # noqa: FBT001 - the line's one fact
    """Log for an estimate whether every row it asked for was in the active snapshot."""
    log = _log_file
    if log is None or log.level > logging.INFO:
        return
    log.write_line(_lookup_line(log, request_id, hit=hit))


def _lookup_line(log: LogFile, request_id: str, *, hit: bool) -> str:
    if log.as_json:
        return _json_line("INFO", "cache_hit", {"hit": hit, "requestId": request_id})
    return f"{hit:d} cache_hit {_now()} request={request_id}\n"


def log_lookups(hits: int, misses: int, request_id: str) -> None:
    """Log what `log_lookup` logs, a line for each estimate of a batch, in one write."""
    log = _log_file
    if log is None or log.level > logging.INFO or not hits + misses:
        return
    lines = ""
    for hit, count in ((True, hits), (False, misses)):
        if log.as_json:
            line = _json_line("INFO", "cache_hit", {"hit": hit, "requestId": request_id})
        else:
            line = f"{hit:d} cache_hit {_now()} request={request_id}\n"
        lines += line * count
    log.write_line(lines)


class Refused(NamedTuple):
    """A finding as it is logged: its `ErrorCode`, where it is, and what is not known."""

    code: str
    path: str
    missing: str = ""


def log_refusals(findings: Iterable[Refused], request_id: str) -> None:
    """Log why a request was refused: a line for each code, at its first finding.

    One line, so that a board with three unknown breakers counts as one abstention.
    """
    log = _log_file
    if log is None or log.level > logging.WARNING:
        return
    by_code: dict[str, list[Refused]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    for code, alike in by_code.items():
        path = log.shortened(alike[0].path)
        missing = log.shortened(",".join(filter(None, (finding.missing for finding in alike))))
        if log.as_json:
            facts = {"code": code, "path": path, "missing": missing, "requestId": request_id}
            log.write_line(_json_line("WARNING", "refusal", facts))
            continue
        named = f" missing={_inert(missing).replace('%20', '+')}" if missing else ""
        log.write_line(f"{_now()} WARNING {code} {_inert(path)}{named} request={request_id}\n")


def two_digits(ms: float) -> str:
    """Return `ms` to two significant digits: 4.2, 430, 12000.

    Written out, 429 ms would count as a refusal for too many requests.
    """
    return f"{float(f'{ms:.1e}'):.15g}"


def _now() -> str:
    return _timestamp(int(clock.now().timestamp()))


@lru_cache(maxsize=4)
def _timestamp(second: int) -> str:
    # Without fractions: .429 of a second is no status.
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


@lru_cache(maxsize=4096)
def _inert(text: str) -> str:
    """Return a client's `text` as one word that no pipeline of the runbook counts."""
    encoded = quote(text, safe=_UNENCODED, errors="backslashreplace")
    return _WORDS.sub(_broken, encoded) or "-"


def _broken(word: re.Match[str]) -> str:
    first, second, rest = word[0][0], word[0][1], word[0][2:]
    return f"{first}%{ord(second):02X}{rest}"


def _text_record(record: logging.LogRecord, text: str) -> str:
    is_fault = record.levelno >= logging.ERROR
    level = "ERROR" if is_fault else record.levelname
    words = _FAULT_WORDS if is_fault else _WORDS
    lines = "\n\t".join(_legible(line, words) for line in text.split("\n"))
    return f"{_timestamp(int(record.created))} {level} {lines}\n"


def _legible(line: str, words: re.Pattern[str]) -> str:
    line = line.encode(errors="backslashreplace").decode()
    line = _CONTROL_CHARACTERS.sub(lambda control: f"\\x{ord(control[0]):02x}", line)
    return words.sub(_broken, line)


def _json_record(record: logging.LogRecord, text: str) -> str:
    message, _, traceback = text.partition("\n")
    facts = {"logger": record.name, "message": message, "traceback": traceback}
    return _json_line(record.levelname, "message", facts)


def _json_line(level: str, event: str, facts: Mapping[str, object]) -> str:
    return _encode_json({"at": _now(), "level": level, "event": event, **facts}) + "\n"
