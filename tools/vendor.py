"""Brings the libraries of the web console: `python -m tools.vendor [FOLDER OF TARBALLS]`.

To take another version: write it and its digest (`npm view NAME@VERSION dist.integrity`)
here, run this, and read what has changed.
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from tools.npm import Package, unpack

VENDOR = Path(__file__).parents[1] / "src" / "kis" / "web" / "static" / "vendor"
SUMS = Path(__file__).with_name("vendor.sha256")
"""Of all that is committed there: `sha256sum -c` in that folder checks them too."""

PACKAGES = {
    "htmx": Package(
        name="htmx.org", version="2.0.11", licence="0BSD",
        sha512="Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        files={"LICENSE": "LICENSE", "dist/htmx.min.js": "htmx.min.js"},
    ),
    "pico": Package(
        name="@picocss/pico", version="2.1.1", licence="MIT",
        sha512="kIDugA7Ps4U+2BHxiNHmvgPIQDWPDU4IeU6TNRdvXQM1uZX+FibqDQT2xUOnnO2yq/LUHcwnGlu1hvf4KfXnMg==",
        files={"LICENSE.md": "LICENSE", "css/pico.min.css": "pico.min.css"},
    ),
    "tabulator": Package(
        name="tabulator-tables", version="6.5.3", licence="MIT",
        sha512="nJ2QaqZzQvd9B4rf4LBnRxfb6sSqA/BX2OsXnSJ2d8k21oXDSTtFtOUrDap04a/6BDGivC/MByCxy43ugadJIg==",
        files={
            "LICENSE": "LICENSE",
            "dist/js/tabulator.min.js": "tabulator.min.js",
            "dist/css/tabulator_simple.min.css": "tabulator_simple.min.css",
        },
    ),
    "uplot": Package(
        name="uplot", version="1.6.32", licence="MIT",
        sha512="KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        files={
            "LICENSE": "LICENSE",
            "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "dist/uPlot.min.css": "uPlot.min.css",
        },
    ),
}  # fmt: skip
"""By the folder that each has."""


def bring(tarballs: Path) -> None:
    """Write the folder anew, from `tarballs` or what npm puts there."""
    # All of them before anything is removed.
    brought = {folder: unpack(package, tarballs) for folder, package in PACKAGES.items()}
    shutil.rmtree(VENDOR, ignore_errors=True)
    for folder, files in brought.items():
        (VENDOR / folder).mkdir(parents=True)
        for name, content in files.items():
            (VENDOR / folder / name).write_bytes(content)
        (VENDOR / folder / "VERSION").write_text(version_of(PACKAGES[folder]), encoding="utf-8")
    SUMS.write_text(sums_of(VENDOR), encoding="utf-8")


def version_of(package: Package) -> str:
    """Return what the file VERSION says, for people."""
    return f"{package.origin}.\nUnchanged. {package.licence} (LICENSE).\n"


def sums_of(folder: Path) -> str:
    """Return the digest of every file in `folder`, as sha256sum writes them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        bring(Path(sys.argv[1] if len(sys.argv) > 1 else scratch))
