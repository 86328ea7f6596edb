"""How the server of a home and port is reached: as it says, as long as it lives."""

from pathlib import Path

from kis.ops.reaching import endpoint_of
from kis.serving.pid_file import endpoint_here, named_process, pid_file
from tests.services import settings_in


def test_who_has_started_with_options_of_its_own_says_so(tmp_path: Path) -> None:
    """A lock of this process is nobody's to itself: another one looks."""
    with_tls = settings_in(tmp_path, TLS_CERT="/etc/our own.pem", TLS_KEY="/etc/kis.key")
    without = settings_in(tmp_path)
    with named_process(with_tls):
        written = pid_file(without).with_suffix(".address").read_text(encoding="utf-8")
    assert written == "https://127.0.0.1:3000 /etc/our own.pem\n"
    assert endpoint_here(without) == endpoint_of(without)


def test_without_any_server_the_settings_say(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert endpoint_here(settings) == endpoint_of(settings)
    pid_file(settings).write_text("1\n")
    assert endpoint_here(settings) == endpoint_of(settings)
