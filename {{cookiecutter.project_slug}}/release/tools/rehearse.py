"""Rehearses a release on this machine: bump, tag, build, gate, upload, install, test.

Usage: python release/tools/rehearse.py [--part patch | --no-bump] [--wheelhouse FOLDER]

It works in a scratch clone of the last commit, with an index that lives inside this program and
listens on 127.0.0.1 alone. Neither this folder nor the world sees a change.
"""

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageMetadata
from pathlib import Path

from build import BuildBackendException, BuildException
from build.util import project_wheel_metadata
from packaging.specifiers import SpecifierSet

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
import local_index
from environment import Failed, call, clean, package_sources, run, said
from plan import without_the_stable_abi
from platforms import CPYTHONS, is_specific, read_wheels
from preflight import collect, fatal_problems, print_open_points
from project import tag_of
from published import Release
from repository import git

PYTHON = sys.executable
# git's settings for the clone, whatever the owner's are. The last of the parameters win.
SETTINGS = {
    "user.name": "rehearsal",
    "user.email": "rehearsal",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "tag.forceSignAnnotated": "false",
    "core.hooksPath": os.devnull,
    "clone.rejectShallow": "false",
    "protocol.file.allow": "always",
    "log.showSignature": "false",
}
# Those that a real commit, tag or push starts, and a rehearsal does not.
HOOKS = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push"]
HOOKS += ["post-index-change", "reference-transaction"]
NOT_HERE = "left out: this Python is not installed"
NO_WHEEL = "left out: wheels.txt lists no wheel for it, so pip would build the sdist"
SAME_BUILD = "The words above are those of the build; `nox -s tests` builds in the same way."


class Rehearsal:
    """A release in a scratch folder. Each method is a step, and returns what the table shows.

    Attributes:
        part: The part of the version to bump; None keeps the version.
        wheelhouse: Wheels that cibuildwheel has built of this commit; None builds one here.
        steps: The steps that are done, each with its result.
        taken_away: The owner's variables that take no part.
    """

    def __init__(
        self, scratch: Path, part: str | None, wheelhouse: Path | None, taken_away: list[str]
    ) -> None:
        self.scratch, self.part, self.wheelhouse = scratch, part, wheelhouse
        self.taken_away = taken_away
        self.clone, self.packages = scratch / "clone", scratch / "packages"
        self.dist = self.clone / "dist"
        target = os.environ.get("CARGO_TARGET_DIR", str(scratch / "target"))
        self.cargo = {"CARGO_TARGET_DIR": target}  # crates are compiled once for all wheels
        self.password = secrets.token_urlsafe()
        self.steps: list[tuple[str, str]] = []

    def run(self) -> None:
        """Do all steps. Exits with a sentence at the first one that fails."""
        self.step("preflight", self.check_here, "Correct that, and commit it.")
        self.step("clone", self.make_clone, "It takes a git repository with a commit.")
        unchanged = (
            "Your repository is unchanged: only the rehearsal's clone was bumped, so there is "
            "nothing to reset. A message of the bump tool is explained in release/README.md, "
            "below *When something goes wrong*."
        )
        self.step("bump and tag", self.bump, unchanged)
        stale = "If Cargo.lock is stale, the bump has to change the version in it, too."
        self.step("preflight after it", self.check_bumped, f"CI would refuse this too. {stale}")
        self.step("sdist", self.build_sdist, SAME_BUILD)
        self.step("gate, sdist", self.gate, "CI would refuse this file too.")
        self.step("wheels", self.build_wheels, SAME_BUILD)
        self.step("gate", self.gate, "CI would refuse these files too.")
        self.packages.mkdir()
        with local_index.serve(self.packages, self.password) as url:
            look = "The index is a part of this program: look at the files."
            self.step("upload", partial(self.upload, url), look)
            release = Release(self.dist, f"{url}simple/")
            self.step("index", partial(self.compare, release), look)
            results = [
                self.step(
                    f"install on 3.{minor}",
                    partial(self.install, minor, release),
                    "A user would see the same.",
                )
                for minor in self.supported_pythons()
            ]
        if set(results) <= {NOT_HERE, NO_WHEEL}:
            pythons = ", ".join(f"3.{minor}" for minor in self.supported_pythons())
            sys.exit(
                f"The rehearsal installed nothing: none of {pythons} is on this machine. "
                "Install one (`uv python install`), and rehearse again."
            )

    def step(self, name: str, work: Callable[[], str], advice: str) -> str:
        """Announce a step, do it and keep its result. A failure ends the program."""
        print(f"{name} ...", end="", flush=True)
        start = time.monotonic()
        try:
            result = work()
        except Failed as error:
            advice = error.advice or advice
            if left := git("status", "--porcelain", "--untracked-files=normal"):
                advice = f"What is not committed took no part:\n{left}\n{advice}"
            if self.taken_away:
                advice += (
                    f"\n(These variables took no part either: {' '.join(self.taken_away)}. "
                    "release/environment.txt lists what does.)"
                )
            sys.exit(f" FAILED\n{error}\n\nThe rehearsal stopped at: {name}. {advice}")
        self.steps.append((name, result))
        print(f" {time.monotonic() - start:.1f} s")
        return result

    def check_here(self) -> str:
        """What can be known of this folder and this machine before anything is built."""
        must_start_programs(self.scratch)
        if found := "\n".join(collect(fatal_problems())):
            raise Failed(found)
        parameters = [os.environ.get("GIT_CONFIG_PARAMETERS", "")]
        parameters += [f"'{name}={value}'" for name, value in SETTINGS.items()]
        os.environ["GIT_CONFIG_PARAMETERS"] = " ".join(parameters).strip()
        return "toolchain, lock and versions are in order"

    def make_clone(self) -> str:
        """Clone the last commit."""
        run(Path(), "git", "clone", "--quiet", "--no-local", ".", self.clone)
        commit = run(self.clone, "git", "log", "-1", "--format=%h %s")
        if left := git("status", "--porcelain", "--untracked-files=normal"):
            names = ", ".join(line[3:] for line in left.splitlines())
            return f"{commit}; NOT committed, so not rehearsed: {names}"
        return commit

    def bump(self) -> str:
        """Raise the version and tag it, as in release/README.md."""
        if self.part and not self.wheelhouse:  # its wheels were built before any bump
            run(self.clone, PYTHON, "-m", "bumpversion", self.part)
            self.tag = run(self.clone, "git", "tag", "--points-at", "HEAD")
        else:
            self.tag = tag_of(metadata(self.clone)["Version"])
        if not self.tag:
            raise Failed("no tag was made: .bumpversion.cfg needs `commit = True` and `tag = True`")
        return self.tag

    def check_bumped(self) -> str:
        """The first two programs of release.yml, on the commit that was bumped."""
        tag = (f"--tag={self.tag}", "--branch=HEAD", "--rehearsal")
        run(self.clone, PYTHON, "release/tools/preflight.py", *tag)
        run(self.clone, PYTHON, "release/tools/plan.py")
        return "tag and lock fit the new version, and the platforms are clear"

    def build_sdist(self) -> str:
        """Build the sdist, which is all that wheels are built and tested from, as in CI."""
        run(self.clone, PYTHON, "-m", "build", "--sdist", "--no-isolation")
        (self.sdist,) = self.dist.glob("*.tar.gz")
        self.metadata = metadata(self.clone)
        return self.sdist.name

    def unpacked(self, purpose: str) -> Path:
        """The sdist, unpacked for one purpose: setuptools ships what an earlier build has left."""
        folder = self.scratch / purpose
        if not folder.exists():
            shutil.unpack_archive(self.sdist, folder)
        (source,) = folder.iterdir()
        return source

    def build_wheels(self) -> str:
        """Build wheels from the sdist, for this machine, or take those of the wheelhouse."""
        if self.wheelhouse:
            copies = [shutil.copy(wheel, self.dist) for wheel in self.wheelhouse.glob("*.whl")]
            return f"{len(copies)} of {self.wheelhouse}"
        specific = [abi for abi in self.listed_abis() if is_specific(abi)]
        stable = "abi3" in self.listed_abis()
        if stable or not specific:
            build = ("build", "--wheel", "--no-isolation", f"--outdir={self.dist}")
            run(self.unpacked("wheel"), PYTHON, "-m", *build, **self.cargo)
        settings = without_the_stable_abi() if stable else {}
        for minor in self.supported_pythons():
            if f"cp3{minor}" in specific:
                self.build_for_one_python(minor, settings)
        if not any(self.dist.glob("*.whl")):
            advice = "Install one of them, or start the workflow Release without a tag."
            raise Failed(f"None of the Pythons of wheels.txt is here: {' '.join(specific)}", advice)
        return "; ".join(f"{wheel.name}, from the sdist" for wheel in self.dist.glob("*.whl"))

    def listed_abis(self) -> set[str]:
        """The ABIs that wheels.txt lists for some platform."""
        wheels = read_wheels(self.clone / "release" / "wheels.txt")
        return {abi for abis in wheels.values() for abi in abis}

    def build_for_one_python(self, minor: int, settings: dict[str, str]) -> None:
        """Build a wheel with a Python that may be another one than this; if that is here."""
        if python := self.environment(f"build-{minor}", minor):
            pip = (python, "-m", "pip", "--disable-pip-version-check")
            lock = "--requirement=release/wheel-requirements.txt"
            run(self.clone, *pip, "install", "--no-compile", "--require-hashes", lock)
            options = ["--no-deps", "--no-build-isolation", f"--wheel-dir={self.dist}"]
            options += [f"--config-settings={key}={value}" for key, value in settings.items()]
            run(self.unpacked(f"wheel-{minor}"), *pip, "wheel", *options, ".", **self.cargo)

    def gate(self) -> str:
        """Send what was built so far through the gate."""
        gate = ("release/tools/gate.py", "dist", "--rehearsal", f"--tag={self.tag}")
        return "; ".join(run(self.clone, PYTHON, *gate).splitlines()[-2:])

    def upload(self, url: str) -> str:
        """Upload to the index, and see it refuse what PyPI would refuse."""
        files = sorted(self.dist.iterdir())
        local_index.must_refuse("403", "a wrong password", files, url, "wrong")
        local_index.upload(files, url, self.password)
        local_index.must_refuse("400|409", "the same files twice", files, url, self.password)
        return "accepted; rightly refused: a wrong password, and a second upload"

    def compare(self, release: Release) -> str:
        """Compare what the index has with what was sent, as the last job of release.yml does."""
        release.wait(minutes=0)
        return f"has the {len(release.hashes)} files, unchanged"

    def supported_pythons(self) -> list[int]:
        """The minor versions that `requires-python` allows, up to the newest that CI installs."""
        allowed = SpecifierSet(self.metadata["Requires-Python"] or "")
        minors = range(max(CPYTHONS[-1], sys.version_info.minor) + 1)
        return [minor for minor in minors if allowed.contains(f"3.{minor}.99")]

    def environment(self, name: str, minor: int) -> Path | None:
        """The Python of a new environment; None if that version is not here."""
        folder = self.scratch / name
        made = call(
            *(PYTHON, "-m", "virtualenv", "--quiet", f"--python=3.{minor}", folder),
            VIRTUALENV_CONFIG_FILE=os.devnull,
        )
        if "failed to find interpreter" in said(made):
            return None
        if made.returncode:
            raise Failed(said(made), "virtualenv could not make an environment.")
        return next(folder.glob("bin/python"), folder / "Scripts" / "python.exe")

    def install(self, minor: int, release: Release) -> str:
        """Install from the index in a new environment, and test; if that Python is here."""
        if not {"abi3", f"cp3{minor}"} & self.listed_abis():
            return NO_WHEEL
        python = self.environment(str(minor), minor)
        return self.install_and_test(python, release) if python else NOT_HERE

    def install_and_test(self, python: Path, release: Release) -> str:
        """Install from the index alone and run the sdist's tests; return the name of the wheel."""
        wheel = release.install(python)
        # Compiling all files of tools that run once takes longer than what they do.
        pip = (python, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check")
        try:
            lock = "--requirement=release/wheel-requirements.txt"
            run(self.clone, *pip, "--require-hashes", lock)
            # It is there already, so the usual index is asked for its dependencies alone.
            run(self.clone, *pip, f"{release.project}=={release.version}")
        except Failed as error:
            usual = os.environ.get("PIP_INDEX_URL", "PyPI")
            advice = f"The package is installed; pytest and its dependencies come from {usual}."
            raise Failed(str(error), advice) from error
        try:
            run(self.unpacked("tests"), python, self.clone / "release" / "tools" / "run_tests.py")
        except Failed as error:
            advice = "CI would see the same: it tests what the sdist holds."
            raise Failed(str(error), advice) from error
        return wheel


def metadata(clone: Path) -> PackageMetadata:
    """What the backend says of a project, wherever that is written down. Raises Failed."""
    try:
        return project_wheel_metadata(clone, isolated=False)
    except (BuildException, BuildBackendException) as error:
        printed = getattr(getattr(error, "exception", None), "output", None) or b""
        raise Failed(f"{printed.decode(errors='replace')}\n{error}") from error


def not_rehearsed() -> Iterator[str]:
    """What git does on this machine at a real release, and is kept from doing here."""
    for setting in ("commit.gpgSign", "tag.gpgSign", "tag.forceSignAnnotated"):
        if git("config", "--type=bool", setting) == "true":
            yield f"git is told to sign ({setting}), which was not tried"
    folder = Path(git("rev-parse", "--git-path", "hooks") or os.devnull)
    if hooks := [hook for hook in HOOKS if os.access(folder / hook, os.X_OK)]:
        yield f"git runs {', '.join(hooks)} of {folder}, which were not tried"


def must_start_programs(scratch: Path) -> None:
    """Raise Failed where programs cannot be started, as on a file system without `exec`."""
    probe = scratch / "probe"
    probe.write_text("#!/bin/sh\n")
    probe.chmod(0o700)
    if os.name == "posix" and call(probe).returncode:
        raise Failed(
            f"No program can be started in {scratch.parent}, and builds start some.",
            "Name another folder in TMPDIR.",
        )


def main() -> None:
    """Rehearse, and print a table. Exits with 1, the step and an advice if one fails."""
    parser = argparse.ArgumentParser("rehearse.py", description="Rehearse a release, all of it.")
    bump = parser.add_mutually_exclusive_group()
    bump.add_argument("--part", choices=["major", "minor", "patch"], default="patch")
    keep = "without bump2version: the version as it stands"
    bump.add_argument("--no-bump", dest="part", action="store_const", const=None, help=keep)
    parser.add_argument("--wheelhouse", type=Path, help="wheels of this commit, by cibuildwheel")
    options = parser.parse_args()
    if options.wheelhouse and not [*options.wheelhouse.glob("*.whl")]:
        parser.error(f"{options.wheelhouse} holds no wheel: build them with cibuildwheel first")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: sys.exit("\nstopped"))
    os.environ.update(package_sources())
    taken_away = clean()
    os.environ["TMPDIR"] = tempfile.gettempdir()  # where TMPDIR is no folder, tools disagree
    skipped = list(not_rehearsed())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        rehearsal = Rehearsal(Path(scratch), options.part, options.wheelhouse, taken_away)
        rehearsal.run()
    width = max(len(name) for name, _ in rehearsal.steps)
    print("\n".join(["", *(f"  {name:{width}}  {result}" for name, result in rehearsal.steps), ""]))
    print_open_points()
    for what in skipped:
        print(f"Before a release: {what}")


if __name__ == "__main__":
    main()
