"""Programs of others that a test runs, as an operator does: `.ci/programs` installs them."""

import os
import shutil

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test whose programs are not here, but for CI, where that is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(
        bool(missing) and "CI" not in os.environ, reason=f"not installed: {', '.join(missing)}"
    )
