"""The whole release on this machine: bump, tag, build, gate, upload, install, test.

Usage: python release/rehearse.py [--part patch | --no-bump] [--wheelhouse FOLDER]

It works in a scratch clone of the last commit, with an index that lives inside this program and
listens on 127.0.0.1 alone. Neither this folder nor the world sees a change.
"""

import argparse
import logging
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageMetadata
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver
from build import BuildBackendException, BuildException
from build.util import project_wheel_metadata

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from environment import Failed, call, clean, package_sources, run, said
from preflight import git, list_todos, problems

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
DONE: list[tuple[str, str]] = []  # the steps and their results, for the table
TAKEN_AWAY: list[str] = []  # the variables of the owner that take no part


def metadata(clone: Path) -> PackageMetadata:
    """What the backend says of a project, wherever that is written down. Raises Failed."""
    try:
        return project_wheel_metadata(clone, isolated=False)
    except (BuildException, BuildBackendException) as error:
        printed = getattr(getattr(error, "exception", None), "output", None) or b""
        raise Failed(f"{printed.decode(errors='replace')}\n{error}") from error


@contextmanager
def step(name: str, advice: str) -> Iterator[list[str]]:
    """Announce a step; what the block appends is its result. A failure ends the program."""
    print(f"{name} ...", end="", flush=True)
    start, results = time.monotonic(), list[str]()
    try:
        yield results
    except Failed as error:
        advice = error.advice or advice
        if left := git("status", "--porcelain", "--untracked-files=normal"):
            advice = f"What is not committed took no part:\n{left}\n{advice}"
        if TAKEN_AWAY:
            advice += (
                f"\n(These variables took no part either: {' '.join(TAKEN_AWAY)}. "
                "release/environment.py lists what does.)"
            )
        sys.exit(f" FAILED\n{error}\n\nThe rehearsal stopped at: {name}. {advice}")
    DONE.append((name, "; ".join(results)))
    print(f" {time.monotonic() - start:.1f} s")


class Quiet(WSGIRequestHandler):
    """Answers without a line on the terminal for each request."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def index(packages: Path, password: str) -> Iterator[str]:
    """Serve an index on a free port of 127.0.0.1, uploads by password; yield its URL."""
    app = pypiserver.app(
        roots=[packages],
        authenticate=["update"],
        auther=lambda _, given: secrets.compare_digest(given, password),
        disable_fallback=True,  # else it sends pip elsewhere for what it does not have
    )
    logging.disable()
    # Where a proxy is set, this index is still asked directly.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def upload(clone: Path, url: str, password: str) -> str:
    """Send dist/ to an index with twine; return what twine printed. Raises Failed."""
    account = {"TWINE_USERNAME": "rehearsal", "TWINE_PASSWORD": password}
    command = (PYTHON, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar")
    target = (f"--config-file={os.devnull}", f"--repository-url={url}")
    return run(clone, *command, *target, *sorted(clone.glob("dist/*")), **account)


def must_refuse(status: str, what: str, clone: Path, url: str, password: str) -> None:
    """Raise Failed unless the index refuses the files with one of the HTTP statuses."""
    try:
        upload(clone, url, password)
    except Failed as error:
        if not re.search(rf"\b({status})\b", str(error)):
            raise
    else:
        raise Failed(f"the index took {what}")


def install_and_test(source: Path, clone: Path, python: Path, url: str, package: str) -> str:
    """Install from the index alone and run the sdist's tests; return the name of the wheel.

    Raises:
        Failed: with an advice of its own where a user would not see the same.
    """
    pip = (python, "-m", "pip", "install", "--disable-pip-version-check")
    alone = ("--isolated", "--no-deps", "--only-binary=:all:", f"--index-url={url}simple/")
    printed = run(clone, *pip, *alone, package)
    try:
        run(clone, *pip, "--require-hashes", "--requirement=release/wheel-requirements.txt")
        # It is there already, so the usual index is asked for its dependencies and nothing else.
        run(clone, *pip, package)
    except Failed as error:
        usual = os.environ.get("PIP_INDEX_URL", "PyPI")
        advice = f"The package is installed; pytest and its dependencies come from {usual}."
        raise Failed(str(error), advice) from error
    try:
        run(source, python, clone / "release" / "run_tests.py")
    except Failed as error:
        raise Failed(str(error), "CI would see the same: it tests what the sdist holds.") from error
    wheels: list[str] = re.findall(r"([^\s/]+\.whl)", printed)
    return wheels[0]


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist; return the folder of its sources, in which CI builds and tests too."""
    shutil.unpack_archive(sdist, folder)
    (source,) = folder.iterdir()
    return source


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


def rehearse(scratch: Path, part: str | None, wheelhouse: Path | None) -> None:
    """Do all steps, in a folder that can be thrown away. With no part, the version is kept."""
    clone, dist, packages = scratch / "clone", scratch / "clone" / "dist", scratch / "packages"
    with step("preflight", "Correct that, and commit it.") as results:
        must_start_programs(scratch)
        if found := "\n".join(problems()):
            raise Failed(found)
        results.append("toolchain, lock and versions are in order")
    parameters = [os.environ.get("GIT_CONFIG_PARAMETERS", "")]
    parameters += [f"'{name}={value}'" for name, value in SETTINGS.items()]
    os.environ["GIT_CONFIG_PARAMETERS"] = " ".join(parameters).strip()
    with step("clone", "It takes a git repository with a commit.") as results:
        run(Path(), "git", "clone", "--quiet", "--no-local", ".", clone)
        results.append(run(clone, "git", "log", "-1", "--format=%h %s"))
        if left := git("status", "--porcelain", "--untracked-files=normal"):
            names = ", ".join(line[3:] for line in left.splitlines())
            results.append(f"NOT committed, so not rehearsed: {names}")
    unchanged = "Your repository is unchanged. release/README.md says what to do in which case."
    with step("bump and tag", unchanged) as results:
        if part and not wheelhouse:  # its wheels were built before any bump
            run(clone, PYTHON, "-m", "bumpversion", part)
            tag = run(clone, "git", "tag", "--points-at", "HEAD")
        else:
            tag = f"v{metadata(clone)['Version']}"
        if not tag:
            raise Failed("no tag was made: look at .bumpversion.cfg")
        results.append(tag)
    same = "The words above are those of the build; `nox -s tests` builds in the same way."
    with step("sdist", same) as results:
        run(clone, PYTHON, "-m", "build", "--sdist", "--no-isolation")
        (sdist,) = dist.glob("*.tar.gz")
        results.append(sdist.name)
        project, source = metadata(clone), unpack(sdist, scratch / "source")
    with step("wheels", same) as results:
        if wheelhouse:
            copies = [shutil.copy(wheel, dist) for wheel in wheelhouse.glob("*.whl")]
            results.append(f"{len(copies)} of {wheelhouse}")
        else:
            run(source, PYTHON, "-m", "build", "--wheel", "--no-isolation", f"--outdir={dist}")
            results += [f"{wheel.name}, from the sdist" for wheel in dist.glob("*.whl")]
    with step("gate", "CI would refuse these files too.") as results:
        gate = (PYTHON, "release/gate.py", "dist", "--rehearsal", f"--tag={tag}")
        results += run(clone, *gate).splitlines()[-2:]
    packages.mkdir()
    password = secrets.token_urlsafe()
    with index(packages, password) as url:
        with step("upload", "The index is a part of this program: look at the files.") as results:
            must_refuse("403", "a wrong password", clone, url, "wrong")
            upload(clone, url, password)
            must_refuse("400|409", "the same files twice", clone, url, password)
            results.append("accepted; rightly refused: a wrong password, and a second upload")
        minors = re.findall(r":: Python :: 3\.(\d+)", str(project.get_all("Classifier")))
        tested = []
        for minor in dict.fromkeys([*minors, str(sys.version_info.minor)]):
            environment, requirement = scratch / minor, f"{project['Name']}=={tag[1:]}"
            with step(f"install on 3.{minor}", "A user would see the same.") as results:
                made = call(
                    *(PYTHON, "-m", "virtualenv", "--quiet", f"--python=3.{minor}", environment),
                    VIRTUALENV_CONFIG_FILE=os.devnull,
                )
                if "failed to find interpreter" in said(made):
                    results.append("left out: this Python is not installed")
                    continue
                if made.returncode:
                    raise Failed(said(made), "virtualenv could not make an environment.")
                python = next(environment.glob("bin/python"), environment / "Scripts/python.exe")
                tested.append(minor)
                results.append(install_and_test(source, clone, python, url, requirement))
        if not tested:
            sys.exit("The rehearsal installed nothing: virtualenv found none of these Pythons.")


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
    TAKEN_AWAY.extend(clean())
    os.environ["TMPDIR"] = tempfile.gettempdir()  # where TMPDIR is no folder, tools disagree
    skipped = list(not_rehearsed())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        rehearse(Path(scratch), options.part, options.wheelhouse)
    width = max(len(name) for name, _ in DONE)
    print("\n".join(["", *(f"  {name:{width}}  {result}" for name, result in DONE), ""]))
    list_todos()
    for what in skipped:
        print(f"Before a release: {what}")


if __name__ == "__main__":
    main()
