"""The look at the index after an upload: it has all files, unchanged, and pip installs one of them.

Usage: python release/tools/published.py FOLDER [--index URL] [--minutes 10] [--install]

FOLDER holds the files that the gate let pass. An index may take minutes to show what it was sent:
what is missing is waited for. A file that is another one, or one too many, is refused at once.
"""

import argparse
import hashlib
import re
import sys
import tempfile
import time
from pathlib import Path

from packaging.utils import parse_sdist_filename
from packaging.version import InvalidVersion, Version
from pypi_simple import NoSuchProjectError, PyPISimple
from requests import RequestException

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from environment import Failed, call, clean, run, said

PYPI = "https://pypi.org/simple/"
PAUSE = 10  # seconds between two looks


class Release:
    """The files of one version, in a folder, and the index that they were sent to.

    Attributes:
        project: The name, as the sdist has it.
        version: The version, as the sdist has it.
        hashes: The SHA-256 of each file, by its name.
        index: The URL of the index (PEP 503, PEP 691).

    Raises:
        Failed: The folder holds no sdist, or several.
    """

    def __init__(self, folder: Path, index: str) -> None:
        files = sorted(folder.glob("*.*")) if folder.is_dir() else []
        sdists = [file for file in files if file.name.endswith(".tar.gz")]
        if len(sdists) != 1:
            raise Failed(
                f"{folder} holds {len(sdists)} sdists and not one: "
                "name the folder of the files that were uploaded"
            )
        self.project, self.version = parse_sdist_filename(sdists[0].name)
        self.hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        self.index = index

    def missing(self) -> list[str]:
        """The files that the index does not show yet.

        Raises:
            Failed: It shows a file that is not one of these, or another content of one of them.
            RequestException: It does not answer.
        """
        shown = self.files_at_index()
        foreign = [
            f"{name} was not checked by the gate: something else uploads this version too"
            for name in shown.keys() - self.hashes.keys()
        ]
        foreign += [
            f"{name} has the SHA-256 {shown[name] or 'of nothing'}, the gate's file {digest}"
            for name, digest in self.hashes.items()
            if name in shown and shown[name] != digest
        ]
        if foreign:
            raise Failed("\n".join([f"{self.index} has files of another build:", *sorted(foreign)]))
        return sorted(self.hashes.keys() - shown.keys())

    def files_at_index(self) -> dict[str, str]:
        """The SHA-256 of each file of this version that the index shows, by its name."""
        with PyPISimple(self.index) as client:
            try:
                packages = client.get_project_page(self.project, timeout=30).packages
            except NoSuchProjectError:
                return {}
        return {
            package.filename: package.digests.get("sha256", "")
            for package in packages
            if is_version(package.version, self.version)
        }

    def wait(self, minutes: float) -> None:
        """Wait until the index shows all files, and say what is missing. Raises Failed."""
        end = time.monotonic() + 60 * minutes
        while True:
            try:
                missing = self.missing()
                reason = f"{self.index} does not show {', '.join(missing)}"
            except RequestException as error:
                missing, reason = ["all"], f"{self.index} does not answer: {error}"
            if not missing:
                return
            wait_or_fail(end, reason)

    def install(self, python: Path | str, minutes: float = 0) -> str:
        """Install with pip what it picks at the index, without dependencies; return the wheel.

        pip takes a file whose hash is among the gate's, and no other. It may see an older page of
        the index than `missing` did, so it is asked again until the minutes are over.

        Raises:
            Failed: It could not be installed; the text is pip's.
        """
        end = time.monotonic() + 60 * minutes
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in self.hashes.values())
        pip = (python, "-m", "pip", "install", "--isolated", "--disable-pip-version-check")
        alone = ("--no-deps", "--no-cache-dir", "--only-binary=:all:", f"--index-url={self.index}")
        with tempfile.TemporaryDirectory() as folder:
            requirement = Path(folder, "requirement.txt")
            requirement.write_text(f"{self.project}=={self.version} {hashes}\n", "utf-8")
            while True:
                installed = call(*pip, *alone, f"--requirement={requirement}")
                if not installed.returncode:
                    wheels: list[str] = re.findall(r"([^\s/]+\.whl)", installed.stdout)
                    return wheels[0] if wheels else "it was installed before"
                wait_or_fail(end, said(installed))


def is_version(text: str | None, version: Version) -> bool:
    """Whether a text is a version, in whatever spelling."""
    try:
        return Version(text or "") == version
    except InvalidVersion:
        return False


def wait_or_fail(end: float, reason: str) -> None:
    """Wait a little and say why, or raise Failed if there is no time left."""
    left = end - time.monotonic()
    if left <= 0:
        raise Failed(reason)
    print(f"waiting: {reason}", flush=True)
    time.sleep(min(PAUSE, left))


def main() -> None:
    """Compare, and perhaps install. Exits with 1 and the reason."""
    parser = argparse.ArgumentParser("published.py", description="Look at the index.")
    parser.add_argument("folder", type=Path, help="the files that the gate let pass")
    parser.add_argument("--index", default=PYPI, help="its simple API; without, that of PyPI")
    parser.add_argument("--minutes", type=float, default=10, help="how long to wait for the index")
    parser.add_argument("--install", action="store_true", help="install the package from there")
    options = parser.parse_args()
    clean()
    try:
        release = Release(options.folder, options.index)
    except Failed as error:
        parser.error(str(error))
    try:
        release.wait(options.minutes)
        print(f"{options.index} has the {len(release.hashes)} files, unchanged.")
        if options.install:
            print(f"pip installed {release.install(sys.executable, options.minutes)}")
            # It is there already, so the usual index is asked for its dependencies alone.
            pip = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check")
            run(Path(), *pip, f"{release.project}=={release.version}")
    except Failed as error:
        sys.exit(
            f"{error}\nThe files were uploaded, and there is no release on GitHub yet. If the "
            "index was slow, *Re-run failed jobs* looks again. If the files are not the gate's, "
            "yank the version, and release the next one."
        )


if __name__ == "__main__":
    main()
