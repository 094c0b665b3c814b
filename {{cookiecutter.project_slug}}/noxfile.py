#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2025.5.1"]
# ///
"""The project's tasks: `nox` runs lint, rust and tests; `nox -l` lists them all."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PROJECT = nox.project.load_toml("pyproject.toml")
# Those of the classifiers. Free-threaded ones do not take the wheel that is built here, for abi3;
# a release builds and tests theirs.
PYTHONS = [version for version in nox.project.python_versions(PROJECT) if version[-1] != "t"]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
BUILDER = None if HERE in PYTHONS else PYTHONS[0]  # nox's own Python, unless it is too old
PACKAGE = next(Path("python").glob("*/__init__.py")).parent.name
# git names a repository to its hooks, which need not be the one that a build asks git about.
OF_GIT = {
    name: None
    for name in os.environ
    if name.startswith("GIT_") and not name.startswith("GIT_CONFIG_")
}


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style and the types of the Python files, and the workflows of CI."""
    install_locked(session, "lint-requirements.txt")
    run_all(
        session,
        ["ruff", "check", *session.posargs],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["zizmor", "--offline", "--no-progress", ".github"],
    )


@nox.session(default=False)
def fix(session: nox.Session) -> None:
    """Format the Python and the Rust files, repair what ruff can; write the crates' licenses."""
    install_locked(session, "lint-requirements.txt")
    session.run("ruff", "check", "--fix-only")
    session.run("ruff", "format")
    session.run("cargo", "fmt", external=True)
    session.run("python", "release/tools/licenses.py")
    session.run("ruff", "check")  # fails where ruff cannot repair something


@nox.session(venv_backend="none")
def rust(session: nox.Session) -> None:
    """Check the Rust files; test the kernel, without Python."""
    clippy = ["cargo", "clippy", "--locked", "--all-targets"]
    # What is likely to be wrong or slow is an error. What is a matter of taste is none:
    # `cargo clippy` shows it.
    strict = ["--", "--deny=warnings", "--allow=clippy::style", "--allow=clippy::complexity"]
    # The editor's cargo finds another interpreter, and PyO3 is compiled again when it changes.
    folder = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "nox")
    session.env["PYO3_PYTHON"] = sys.executable
    run_all(
        session,
        ["cargo", "fmt", "--check"],
        [*clippy, "--no-default-features", *strict],
        ["cargo", "test", "--locked", "--no-default-features", *session.posargs],
        [*clippy, "--all-features", f"--target-dir={folder}", *strict],
    )


# What to type next, where one of these fails.
NEXT = {
    "fmt": "`nox -s fix` formats it",
    "format": "`nox -s fix` formats it",
    "check": "`nox -s fix` repairs what it can",
    "clippy": (
        "if it names a lint, `#[allow(clippy::NAME)]` above the function allows that. If it names"
        " rust/python.rs: does rust/kernel.rs have what that calls?"
    ),
}


def run_all(session: nox.Session, *commands: list[str]) -> None:
    """Run commands one after the other; at the end, fail if one of them has failed."""
    failed = []
    for command in commands:
        try:
            session.run(*command, external=command[0] == "cargo")
        except nox.command.CommandFailed:
            hints = [NEXT[word] for word in command[:3] if word in NEXT]
            failed.append(": ".join([" ".join(command), *hints]))
    if failed:
        session.error("Failed:\n" + "\n".join(failed))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Test the wheel and its type stub, on every Python that is installed."""
    install_wheel(session, "test", "property")
    lock = Path("release/lint-requirements.txt").read_text("utf-8")
    session.install(*re.findall(r"^mypy==[^\s;]+", lock, re.MULTILINE))
    sdist = {"SDIST": str(BUILT[1])} if len(BUILT) > 1 else {}
    session.run("pytest", *session.posargs, env=sdist)
    session.run("stubtest", PACKAGE)


@nox.session(python=BUILDER, default=False)
def bench(session: nox.Session) -> None:
    """Measure how much faster than Python it is."""
    install_wheel(session, "test", "bench")
    times = Path(session.create_tmp(), "times.json")
    file = f"tests/bench_{PACKAGE}.py"
    session.run("pytest", "-Wdefault", file, f"--benchmark-json={times}", *session.posargs)
    medians: dict[str, dict[str, float]] = {}
    for row in json.loads(times.read_text("utf-8"))["benchmarks"]:
        # tests/bench_name.py::TestClass::test_rust[parameters]: the class may be missing.
        if words := re.match(r"[^\[]*?::(?:(\w+)::)?test_(rust|python)(.*)", row["fullname"], re.S):
            label = ", ".join(filter(None, [words[1], row["group"], words[3].strip("_")])) or file
            medians.setdefault(label, {})[words[2]] = row["stats"]["median"]
    for label, median in medians.items():
        if len(median) == 2:
            times_as_fast = median["python"] / median["rust"]
            digits = 0 if times_as_fast >= 10 else 1
            session.log(f"{label}: Rust is {times_as_fast:,.{digits}f} times as fast as Python")


@nox.session(name="abi-cost", python=BUILDER, default=False)
def abi_cost(session: nox.Session) -> None:
    """Measure what the stable ABI costs, against a wheel for this Python alone."""
    install_wheel(session, "test", "bench")
    folders = []
    for wheel in (BUILT[0], version_specific_wheel(session)):
        # Into folders of their own: one environment, so nothing else differs.
        folder = Path(session.create_tmp(), wheel.name.split("-")[-2])
        shutil.rmtree(folder, ignore_errors=True)
        session.run(*pip(session), "install", "--no-deps", f"--target={folder}", str(wheel))
        folders.append(str(folder))
    file = f"tests/bench_{PACKAGE}.py"
    session.run("python", "tests/abi_cost.py", *folders, file, *session.posargs)


def version_specific_wheel(session: nox.Session) -> Path:
    """Build the sdist of this run without the stable ABI."""
    wheel, *sdist = BUILT
    if "-abi3-" not in wheel.name:
        session.error(
            f"{wheel.name} does not use the stable ABI, so there is nothing to compare. Ask for"
            " it: maturin by a feature abi3-py3NN of pyo3, setuptools-rust by `py_limited_api`."
            " A free-threaded Python has none; with setuptools-rust, 3.15 has none either."
        )
    if not sdist:
        session.error("The second wheel is built from an sdist, which takes git: `git add --all`")
    folder = Path(session.create_tmp(), "dist-version-specific")
    shutil.rmtree(folder, ignore_errors=True)
    of_setuptools = PROJECT["build-system"]["build-backend"].startswith("setuptools")
    setting = ["--config-setting=--build-option=--py-limited-api="] if of_setuptools else []
    feature = re.compile(r"""(["'])[\w/?-]*\babi3t?(-py3\d+)?\1(?!\s*=)\s*,?""")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        shutil.unpack_archive(sdist[0], place)
        (copy,) = Path(place).iterdir()
        for manifest in (copy / "pyproject.toml", *copy.rglob("Cargo.toml")):
            manifest.write_text(feature.sub("", manifest.read_text("utf-8")), "utf-8")
        build(session, "--wheel", f"--outdir={folder}", str(copy), *setting)
    (wheel,) = folder.glob("*.whl")
    if not re.search(r"-(cp\d+)-\1-", wheel.name):
        session.error(
            f"{wheel.name} is not for this Python alone, though the features abi3 were taken out"
            " of a copy of pyproject.toml and Cargo.toml: what else asks for the stable ABI?"
        )
    return wheel


@nox.session(default=False)
def gate(session: nox.Session) -> None:
    """Check the files of a release: `nox -s gate -- dist/ --tag v0.2.0`."""
    install_locked(session, "requirements.txt")
    session.run("python", "-I", "release/tools/gate.py", *session.posargs)


@nox.session(python=BUILDER, default=False)
def rehearse(session: nox.Session) -> None:
    """Rehearse a release on this machine; nothing is published."""
    install_locked(session, "requirements.txt", "wheel-requirements.txt")
    # -I: no PYTHONPATH and the like. After Ctrl-C, it has time to tidy up.
    command = ("python", "-I", "release/tools/rehearse.py")
    session.run(*command, *session.posargs, interrupt_timeout=10)


def install_locked(session: nox.Session, *locks: str) -> None:
    """Install locked tools, without settings that would put them elsewhere."""
    left_out = runpy.run_path("release/tools/environment.py")["left_out"]()
    for lock in locks:
        words = ("--require-hashes", f"--requirement=release/{lock}")
        session.install(*words, env=dict.fromkeys(left_out))


# The wheel of this run and the sdist that it was built from, by the first session that needs it.
BUILT: list[Path] = []


def install_wheel(session: nox.Session, *groups: str) -> None:
    """Install the wheel of the sources as they are now, and the tools of the groups."""
    needed = PROJECT["project"].get("dependencies", [])
    session.install(*needed, *nox.project.dependency_groups(PROJECT, *groups))
    if not BUILT:
        folder = Path(session.create_tmp(), "dist")
        shutil.rmtree(folder, ignore_errors=True)
        # By way of the sdist, as in a release.
        kinds = [] if git_tracks(session) else ["--wheel"]
        forget_local_crates(session)
        build(session, f"--outdir={folder}", *kinds)
        BUILT.extend([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])
    # Not `session.install`, which `nox -R` leaves out: it would test an earlier wheel.
    session.run(*pip(session), "install", "--force-reinstall", "--no-deps", str(BUILT[0]))


def build(session: nox.Session, *arguments: str) -> None:
    """Run `python -m build`, with the installer of the session."""
    uv = session.venv_backend == "uv"
    session.install("build[uv]" if uv else "build")
    # In the usual target folder, for quick rebuilds. Not in nox's folder, where cargo and git would
    # find the files of this one.
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target")).absolute()
    places = {"CARGO_TARGET_DIR": str(target), "TMPDIR": os.environ.get("TMPDIR")}
    installer = f"--installer={'uv' if uv else 'pip'}"
    session.run("python", "-m", "build", installer, *arguments, env=OF_GIT | places)


def pip(session: nox.Session) -> tuple[str, ...]:
    """The installer of the session."""
    return ("uv", "pip") if session.venv_backend == "uv" else ("python", "-m", "pip")


def forget_local_crates(session: nox.Session) -> None:
    """Delete what cargo has compiled of crates in this folder, except for the package's own crate.

    The files of an sdist have old dates, and cargo compares dates: it would take an earlier state
    of such a crate for this one. .cargo/config.toml prevents that for the package's crate alone.
    """
    listed = session.run(
        *("cargo", "metadata", "--locked", "--format-version=1"),
        external=True,
        silent=True,
        log=False,
        stderr=subprocess.DEVNULL,
        success_codes=[0, 101],  # 101: the build fails for the same reason, and says it
    )
    crates = json.loads(listed or "{}")
    root = crates.get("resolve", {}).get("root")
    local = [crate for crate in crates.get("packages", []) if not crate["source"]]
    names = [f"--package={crate['name']}" for crate in local if crate["id"] != root]
    if names:
        session.run("cargo", "clean", "--release", *names, external=True)


def git_tracks(session: nox.Session) -> bool:
    """Whether git tracks this folder, so that there is an sdist; says what is not in it."""

    def git(*options: str) -> str:
        command = ("git", "ls-files", *options)
        codes = [0, 128]  # 128: git reads no repository here, and says why
        listed = session.run(
            *command, env=OF_GIT, external=True, silent=True, log=False, success_codes=codes
        )
        return (listed or "").strip()

    tracked = git("pyproject.toml") if shutil.which("git") else "git is not installed"
    if "pyproject.toml" not in tracked.splitlines():
        session.warn(f"Building in the folder, without an sdist: git tracks none of it. {tracked}")
        return False
    if gone := git("--deleted"):
        session.error(f"Deleted, but git still tracks it: `git add --all`\n{gone}")
    if new := git("--others", "--exclude-standard"):
        session.warn(f"Not in the wheel, because git does not track it (`git add`):\n{new}")
    return True


if __name__ == "__main__":
    nox.main()
