"""What still works with everything at its newest."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools import stand_ins
from tools.canary import newest, pins, workspace
from tools.canary.table import Trial
from tools.machine import GIT, python_of, pythons
from tools.template import BACKENDS, FLOORS, TEMPLATE, minor

SESSIONS = ("lint", "rust", "tests", "rehearse")
# The tests of `nox -s quick`, which compile nothing.
QUICK = ("-m", "not builds")


def install_newest_tools(log: Path) -> bool:
    """Make an environment of the newest tools of requirements.in; return whether that worked."""
    lock, target = workspace.FOLDER / "requirements.txt", workspace.FOLDER / "tools"
    lock.unlink(missing_ok=True)
    options = ("--universal", "--generate-hashes", "--python-version=3.11", "--no-annotate")
    python = f"--python={sys.executable}"
    return (
        workspace.succeeds(
            log,
            *("uv", "pip", "compile", "--quiet", "--upgrade", *options),
            *("requirements.in", f"--output-file={lock}"),
            cwd=TEMPLATE,
        )
        and workspace.succeeds(
            log, "uv", "venv", "--quiet", "--clear", python, target, cwd=TEMPLATE
        )
        and workspace.succeeds(
            log,
            *("uv", "pip", "install", "--quiet", f"--python={python_of(target)}"),
            *("--require-hashes", f"--requirement={lock}"),
            cwd=TEMPLATE,
        )
    )


def bring_up_to_date(project: Path, pypi: dict[str, str], log: Path) -> str | None:
    """Bring all pins of a rendered project to their newest.

    Args:
        project: the project's folder, a git repository.
        pypi: the newest version of each package, name to version.
        log: where the output of the commands goes.

    Returns:
        What failed, in two words; None where nothing did.
    """
    if not (project / ".git").exists():
        # Without one of its own, what is committed below would go to the template's repository.
        return "no repository of its own"
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    for requirement, version in pins.held_back(pins.manifest_of(project), pypi):
        bounds = rf'"{re.escape(requirement.name)}[<>=~!][^"]*"'
        text = re.sub(bounds, f'"{requirement.name}=={version}"', text)
    if rust := newest.installed_rust():
        text = re.sub(r'RUSTUP_TOOLCHAIN = "[^"]+"', f'RUSTUP_TOOLCHAIN = "{rust}"', text)
    manifest.write_text(text, "utf-8")
    for name, wanted in pins.direct_dependencies(project / "Cargo.toml").items():
        latest = newest.crate(name)
        if latest and not latest.startswith(f"{wanted}."):
            kind = [] if f"\n{name} = " in pins.cargo_dependencies(project) else ["--dev"]
            add = ("cargo", "add", "--quiet", *kind, f"{name}@{latest}")
            if not workspace.succeeds(log, *add, cwd=project):
                return f"cargo add {name}@{latest}"
    if not workspace.succeeds(log, "cargo", "update", "--quiet", cwd=project):
        return "cargo update"
    if not workspace.succeeds(log, sys.executable, "release/tools/licenses.py", cwd=project):
        return "release/tools/licenses.py"
    for lock in sorted((project / "release").glob("*requirements.txt")):
        (command,) = re.findall(r"^#\s+(uv pip compile .*)", lock.read_text("utf-8"), re.M)
        if not workspace.succeeds(log, *command.split(), "--upgrade", "--quiet", cwd=project):
            return f"lock of release/{lock.name}"
    for command in (("add", "--all"), ("commit", "--quiet", "--allow-empty", "--message=Newest")):
        if not workspace.succeeds(log, "git", *command, cwd=project, **GIT):
            return f"git {command[0]}"
    return None


def verdict(printed: str, status: int) -> str:
    """How a run of nox ended: "passed", "BROKEN: ..." with the sessions, or "not run: ..."."""
    failed = re.findall(r"\* (\S+): (?:failed|aborted)", printed)
    if not failed and (last := re.findall(r"Session (\S+) (?:failed|aborted)", printed)):
        failed = last
    if status != 0 or failed:
        return f"BROKEN: {', '.join(failed) or f'nox ended with {status}'}"
    if not re.search(r"\* tests-\S+: success", printed):
        return "not run: nox found no Python for the tests"
    return "passed"


def run_logged(log: Path, *command: str | Path, cwd: Path, **variables: str) -> bool:
    """Run a command by the newest Python tools, its output to a new log; whether it succeeded."""
    log.write_text("", "utf-8")
    python = python_of(workspace.FOLDER / "tools")
    return workspace.succeeds(log, python, "-m", *command, cwd=cwd, **variables)


def broken(reason: str, log: Path) -> str:
    """The state of a trial that failed: the reason, and where to read on."""
    return f"BROKEN: {reason} ({workspace.short_path(log)})"


def try_out(backend: str, floor: str, pypi: dict[str, str]) -> Trial:
    """Render, bring up to date, and run the project's sessions."""
    what = f"{backend}, floor {floor}"
    if not any(minor(version) >= minor(floor) for version in pythons()):
        return Trial(what, f"not run: no Python {floor} or newer is on the PATH")
    log = workspace.FOLDER / f"{backend}-{floor}.log"
    log.write_text("", "utf-8")
    python = python_of(workspace.FOLDER / "tools")
    try:
        project = workspace.render(backend, floor, "projects", python)
    except subprocess.CalledProcessError:
        return Trial(what, "BROKEN: rendering")
    if failed := bring_up_to_date(project, pypi, log):
        return Trial(what, broken(failed, log))
    sessions = ("-m", "nox", "--sessions", *SESSIONS)
    succeeded = workspace.succeeds(log, python, *sessions, cwd=project, **GIT)
    state = verdict(log.read_text("utf-8"), 0 if succeeded else 1)
    if state.startswith("BROKEN: "):
        state = broken(state.removeprefix("BROKEN: "), log)
    return Trial(what, state)


def try_own_tests() -> Trial:
    """Run the template's own quick tests with the newest tools."""
    log = workspace.FOLDER / "own-tests.log"
    passed = run_logged(log, "pytest", "--quiet", *QUICK, cwd=TEMPLATE)
    return Trial("the template's quick tests", "passed" if passed else broken("pytest", log))


def try_cibuildwheel() -> Trial:
    """Let the newest cibuildwheel build a wheel, on stand-ins for its images or on the images."""
    what = "cibuildwheel, manylinux_x86_64"
    options = []
    if lacks := stand_ins.missing():
        # A client without its daemon answers too, but not to this.
        if workspace.output_or_none("docker", "info") is None:
            return Trial(what, f"not run: it wants a running docker, or {', '.join(lacks)}")
        options = ["--real-images"]
    log = workspace.FOLDER / "cibuildwheel.log"
    pytest = ("pytest", "--need-images", "--arch=x86_64", *options)
    passed = run_logged(log, *pytest, "tests/release/test_cibuildwheel.py", cwd=TEMPLATE)
    return Trial(what, "passed" if passed else broken("pytest", log))


def run_trials(pypi: dict[str, str], say: Callable[[str], None]) -> list[Trial]:
    """Try out every combination, one after the other."""
    log = workspace.FOLDER / "tools.log"
    log.write_text("", "utf-8")
    say("installing the newest tools")
    if not install_newest_tools(log):
        return [Trial("the newest tools", broken("uv cannot install them", log))]
    trials = []
    for backend in BACKENDS:
        for floor in FLOORS:
            say(f"{backend}, floor {floor}")
            trials.append(try_out(backend, floor, pypi))
            say(f"  {trials[-1].state}")
    say("the template's quick tests")
    trials.append(try_own_tests())
    say("cibuildwheel")
    trials.append(try_cibuildwheel())
    return trials
