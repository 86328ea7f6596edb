"""The libraries that browsers load are the ones that are pinned, each with its licence."""

import io
import tarfile
from pathlib import Path

import pytest

from tools.npm import Package, Refused, unpack
from tools.vendor import PACKAGES, SUMS, VENDOR, sums_of, version_of


def test_files_are_the_ones_that_were_brought_and_nothing_else() -> None:
    assert sums_of(VENDOR) == SUMS.read_text(encoding="utf-8")
    expected = {
        f"{folder}/{name}"
        for folder, package in PACKAGES.items()
        for name in ("VERSION", *package.files.values())
    }
    assert {line.split("  ")[1] for line in sums_of(VENDOR).splitlines()} == expected


@pytest.mark.parametrize("folder", PACKAGES)
def test_each_says_its_version_and_has_its_licence(folder: str) -> None:
    package = PACKAGES[folder]
    assert (VENDOR / folder / "VERSION").read_text(encoding="utf-8") == version_of(package)
    licence = (VENDOR / folder / "LICENSE").read_text(encoding="utf-8")
    assert {"0BSD": "Zero-Clause BSD", "MIT": "Permission is hereby granted"}[
        package.licence
    ] in licence


def test_tarball_of_other_content_is_refused(tmp_path: Path) -> None:
    package = Package(
        name="@a/b", version="1.0.0", licence="MIT", sha512=PACKAGES["htmx"].sha512,
        files={"x": "x"},
    )  # fmt: skip
    assert package.tarball == "a-b-1.0.0.tgz"
    with tarfile.open(tmp_path / package.tarball, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("package/x"), io.BytesIO())
    with pytest.raises(Refused, match="pinned"):
        unpack(package, tmp_path)
