"""What differs from run to run, replaced, so that an answer can stand in a document."""

import re
from collections.abc import Callable

Replacement = str | Callable[[re.Match[str]], str]

_MASKS: tuple[tuple[str, Replacement], ...] = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2025-09-24T09:00:00.000Z"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "2025-09-24T09:00:00.000000Z"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2025-09-24T09:00:00Z"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "2025-09-24 09:00:00"),
    (r"\b20\d{6}_\d{6}\b", "20250924_090000"),
    (r"\b20\d\d-\d\d-\d\d\b(?!-\d\d\b)(?!T)", "2025-09-24"),
    (r"\b[0-9a-f]{64}\b", "0123456789abcdef" * 4),
    (r"\b(est_)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
     "01997000-0000-7000-8000-000000000000"),
    (r"\b(api|admin|evidence)-[a-z]{8}\b", r"\1-abcdefgh"),
    (r"\bkis_(api|admin)_[0-9A-Za-z]+_[0-9A-Za-z]+", r"kis_\1_abcdefgh_..."),
    (r"\bevk-[0-9a-f]{12}\b", "evk-0123456789ab"),
    (r"\brequest=[a-z]+", "request=abcdefghjkmnpqrstvwx"),
    (r"Python 3\.[\d.]+, SQLite 3\.[\d.]+", "Python 3.11.7, SQLite 3.40.1"),
    (r"요청 \d+건", "요청 3건"),
    (r"\b\d+ requests\b", "3 requests"),
    # On Sundays the logs are backed up too.
    (r"\n  로그 logs: .*", ""),
    (r'("uptime": ?)\d+', r"\g<1>86400"),
    (r"\b\d+(\.\d+)? ?(ms|s|초|µs)(?![A-Za-z])", r"0.1 \2"),
    (r"(?<!한도 )(?<!limit )\b\d+(\.\d+)? ?(B|kB|KiB|MB|MiB|GB)(?![A-Za-z])", r"1.0 \2"),
    (r"\b\d+(\.\d+)? ?%(?= (사용|used|비어|of the disk))", "40 %"),
)  # fmt: skip


def mask(text: str, home: str, port: int) -> str:
    """Return `text` as the document has it: the home is /production, the port 3000."""
    text = text.replace(home, "/production").replace(f"localhost:{port}", "localhost:3000")
    text = text.replace(f"127.0.0.1:{port}", "127.0.0.1:3000")
    for pattern, replacement in _MASKS:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"
