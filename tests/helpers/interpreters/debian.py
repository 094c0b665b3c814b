"""Packages of the next Debian, unpacked next to the machine's own; apt compares the checksums."""

import shutil
from pathlib import Path

from helpers.fixture_types import Run
from helpers.interpreters import CannotRun, require
from tools import stand_ins


def unpack(package: str, folder: Path, run: Run) -> Path:
    """Unpack a package into `folder`/root, which is returned; its dependencies are left out.

    Raises:
        CannotRun: apt or dpkg is missing, or apt takes nothing from Debian.
    """
    require("apt-get", "dpkg-deb", packages="apt dpkg")
    try:
        mirror = stand_ins.mirror()
    except RuntimeError as reason:
        raise CannotRun(str(reason)) from reason
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    source = f"deb [signed-by={keys}] {mirror} {stand_ins.NEXT_SUITE} main\n"
    (folder / "sources.list").write_text(source, "utf-8")
    places = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
    }
    apt = ("apt-get", "--quiet", *(f"--option={name}={value}" for name, value in places.items()))
    run(*apt, "update", cwd=folder)
    run(*apt, "download", package, cwd=folder)
    (archive,) = folder.glob("*.deb")
    run("dpkg-deb", "--extract", archive, "root", cwd=folder)
    for litter in ("lists", "cache"):
        shutil.rmtree(folder / litter)
    return folder / "root"
