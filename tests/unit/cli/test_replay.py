"""What `knowledge replay` says before it begins."""

import sys

import pytest
import typer

from kis.cli.replay import _sizing


def test_dask_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "kis.ops.replay_cluster", raising=False)
    with pytest.raises(typer.Exit) as caught:
        _sizing(0, "local")
    assert caught.value.exit_code == 2
    assert "uv sync --locked --extra dask" in capsys.readouterr().err
