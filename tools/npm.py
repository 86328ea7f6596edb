"""Packages of the npm registry, pinned by what they hold."""

import base64
import hashlib
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A version of a package, and the files that are taken of it."""

    name: str
    version: str
    licence: str
    """By its SPDX identifier."""
    sha512: str
    """Of the tarball, as the registry tells it: base64."""
    files: dict[str, str]
    """Where a file goes, by its path in the tarball."""

    @property
    def tarball(self) -> str:
        """The name of the file that `npm pack` writes."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return f"{self.name} {self.version} from the npm registry, sha512-{self.sha512}"


class Refused(Exception):  # noqa: N818 - says what is the case
    """A tarball is not the one that is pinned."""


def unpack(package: Package, folder: Path) -> dict[str, bytes]:
    """Return the files of `package` by where they go; npm puts the tarball into `folder` at need.

    Raises:
        Refused: it is not what was pinned; nothing of it is read.
        CalledProcessError: npm does not bring it.

    """
    path = folder / package.tarball
    if not path.exists():
        spec = f"{package.name}@{package.version}"
        command = ["npm", "pack", spec, "--pack-destination", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != package.sha512:
        message = f"{path}: sha512-{found}, pinned is sha512-{package.sha512}"
        raise Refused(message)
    with tarfile.open(path) as tar:
        return {
            target: _content(tar, f"package/{source}") for source, target in package.files.items()
        }


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    if member is None:
        message = f"{name} is no file"
        raise Refused(message)
    return member.read()
