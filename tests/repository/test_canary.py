"""The canary: how it compares, what its table says, what it finds in the files, when it fails."""

import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import canary
from tools.canary import Pin, Trial
from tools.machine import GIT
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, TEMPLATE, tracked


@pytest.mark.parametrize(
    ("here", "newest", "state"),
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
def test_versions_are_compared_as_numbers(here: str, newest: str | None, state: str) -> None:
    assert Pin("x", "y", here, newest, "z").state == state


def test_what_is_no_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'main' is no version"):
        canary.number("main")


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
    assert rows(canary.table(pins, trials)) == [
        ["second", "rendered anew", "", "all of it", "", r"BROKEN: lint \| rust"],
        ["first", "rendered anew", "", "all of it", "", "passed"],
        ["e", "three", "1", "2", "Dependabot", "behind"],
        ["e", "one, two", "1", "2", "the canary alone", "behind"],
        ["d", "one", "1", "?", "Dependabot", "not looked up"],
        ["2 pinned", "one", "", "", "Dependabot", "current"],
    ]
    assert len({len(line) for line in canary.table(pins, trials).splitlines()}) == 1


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
    assert canary.verdict(printed, status).startswith(expected)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No command answers."""
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    monkeypatch.setattr(canary, "ask", lambda *command, **options: None)


def test_newest_versions_are_read_from_what_the_tools_print(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path
) -> None:
    """The tools are asked for real: what they print changes with their versions."""
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    assert canary.newest_on_pypi(["iniconfig", "pluggy"]).keys() == {"iniconfig", "pluggy"}
    assert canary.number(canary.newest_crate("itoa") or "0") >= canary.number("1.0.18")
    assert re.fullmatch(r"3\.\d\d", canary.newest_cpython() or "")
    assert re.match(r"1\.\d+\.\d+", canary.rust_here() or "")
    lock = PROJECT_FOLDER / "Cargo.lock"
    fresh = canary.fresh_lock(lock)
    assert fresh
    assert fresh.keys() >= canary.direct(PROJECT_FOLDER / "Cargo.toml").keys()


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
    assert canary.newest_tag("actions/checkout") == "v10.1.0"
    assert canary.newest_tag("actions/none") is None


def test_offline_nothing_is_called_current_or_behind(offline: None) -> None:
    pins, pypi = canary.look_up()
    assert pypi == {}
    assert {pin.state for pin in pins} == {"not looked up"}


def test_every_pin_of_every_file_is_looked_at(offline: None) -> None:
    """Counted otherwise than the canary does."""
    pins, _ = canary.look_up()
    found = {(pin.what, pin.where) for pin in pins}
    for file in tracked(TEMPLATE):
        text = file.read_text("utf-8", errors="replace")
        where = canary.place(file)
        if file.name.endswith("requirements.txt"):
            names = {line.split("==")[0] for line in text.splitlines() if re.match(r"\w.*==", line)}
            assert {what for what, place in found if place == where} == names, where
        elif file.name == "Cargo.lock":
            names = {p["name"] for p in tomllib.loads(text)["package"] if "source" in p}
            assert {what for what, place in found if place == where} == names, where
        elif file.parent.name == "workflows":
            for name in re.findall(r"uses: (\S+)@", text):
                assert (name, canary.place(file.parent)) in found, name
        elif file.name == "package.json":
            for name in json.loads(text)["dependencies"]:
                assert (name, where) in found
    assert {
        ("Rust (installed)", "project/pyproject.toml"),
        ("CPython", "cookiecutter.json"),
    } < found
    assert ("pyo3", "project/Cargo.lock") in found


def test_what_dependabot_cannot_reach_is_told() -> None:
    assert canary.keeper("cargo", PROJECT_FOLDER / "Cargo.lock") == "the canary alone"
    assert canary.keeper("cargo", TEMPLATE / "benchmarks/opponents/Cargo.lock") == "Dependabot"
    assert canary.keeper("pip", PROJECT_FOLDER / "release/requirements.txt") == "Dependabot"
    assert canary.keeper("pip", TEMPLATE / "tests/unknown/requirements.txt") == "the canary alone"


def test_dependabot_cannot_read_jinja_even_where_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canary, "watched", lambda: {("cargo", f"{PROJECT_FOLDER.name}/")})
    assert canary.keeper("cargo", PROJECT_FOLDER / "Cargo.lock") == "the canary alone"


def test_requirements_that_hold_the_newest_back_are_found() -> None:
    manifest = {
        "build-system": {"requires": ["maturin>=1.16,<2"]},
        "dependency-groups": {"test": ["pytest>=8.4"], "dev": [{"include-group": "test"}]},
    }
    assert canary.refused(manifest, {"maturin": "1.17.0", "pytest": "10.0.0"}) == []
    ((requirement, version),) = canary.refused(manifest, {"maturin": "2.0.0", "pytest": "10.0.0"})
    assert (requirement.name, version) == ("maturin", "2.0.0")


@pytest.fixture
def without_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No look-up and no command; what is left goes to a temporary folder."""
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    monkeypatch.setattr(canary, "look_up", lambda: ([Pin("x", "y", "1", "2", "z")], {}))
    monkeypatch.setattr(canary, "install_newest_tools", lambda log: True)
    for own in ("try_own_tests", "try_cibuildwheel"):
        monkeypatch.setattr(canary, own, lambda: Trial("own", "passed"))
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

    monkeypatch.setattr(canary, "try_out", try_out)
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
    monkeypatch.setattr(canary, "look_up", lambda: ([Pin("x", "y", "1", None, "z")], {}))
    assert canary.main(["--look"]) == 0
    assert canary.main(["--look", "--strict"]) == 1


def test_a_rendering_that_fails_is_in_the_table(
    without_builds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def look_up() -> tuple[list[Pin], dict[str, str]]:
        command = ["python", "-m", "cookiecutter"]
        raise subprocess.CalledProcessError(1, command, stderr=b"an error in Jinja")

    monkeypatch.setattr(canary, "look_up", look_up)
    assert canary.main([]) == 1
    assert "an error in Jinja" in capsys.readouterr().err
    assert "| a rendering | rendered anew |      | all of it |               | BROKEN: " in (
        without_builds / "table.md"
    ).read_text("utf-8")


def test_tools_that_cannot_be_installed_are_broken(
    without_builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "install_newest_tools", lambda log: False)
    assert canary.main([]) == 1


def test_combination_without_a_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "pythons", lambda: {"3.11": "/python3.11"})
    trial = canary.try_out("maturin", "3.12", {})
    assert trial.state == "not run: no Python 3.12 or newer is at hand"
    assert not trial.broken


@pytest.mark.parametrize(
    ("lacks", "docker", "state", "options"),
    [
        ([], None, "passed", []),
        (["podman"], "Server Version: 28.2.2", "passed", ["--real-images"]),
        (["podman"], None, "not run: it wants a running docker, or podman", None),
    ],
)
def test_cibuildwheel_is_run_on_the_images_at_hand(
    lacks: list[str],
    docker: str | None,
    state: str,
    options: list[str] | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    said: list[tuple[object, ...]] = []
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    monkeypatch.setattr(canary.stand_ins, "missing", lambda: lacks)
    monkeypatch.setattr(canary, "ask", lambda *command: docker)
    monkeypatch.setattr(canary, "must", lambda log, *command, **others: not said.append(command))
    assert canary.try_cibuildwheel().state == state
    wanted = [] if options is None else [[*options, "tests/release/test_cibuildwheel.py"]]
    assert [list(command[5:]) for command in said] == wanted


def test_nothing_is_committed_to_the_templates_own_repository(tmp_path: Path) -> None:
    """A rendering lies inside of it, and `git commit` would take the nearest repository."""
    assert canary.bring_up_to_date(tmp_path, {}, tmp_path / "log") == "no repository of its own"
    assert list(tmp_path.iterdir()) == []


def test_rendering_has_a_repository_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    project = canary.render("maturin", "3.11", "projects")
    assert (project / ".git").is_dir()


def test_session_that_fails_breaks_the_combination_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def must(log: Path, *command: str, **options: object) -> bool:
        ran.append(command[1:])
        log.write_text("nox > * rust: failed\nnox > * tests-3.11: success\n", "utf-8")
        return False

    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    monkeypatch.setattr(canary, "render", lambda *words: tmp_path)
    monkeypatch.setattr(canary, "bring_up_to_date", lambda *words: None)
    monkeypatch.setattr(canary, "must", must)
    trial = canary.try_out("maturin", "3.11", {})
    assert trial.broken
    assert trial.state.startswith("BROKEN: rust (")
    assert ran == [("-m", "nox", "--sessions", *canary.SESSIONS)]


def test_the_newest_versions_reach_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The upper bound goes, the toolchain follows, and cargo is told of a newer PyO3."""
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    project = canary.render("maturin", "3.11", "projects")
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(canary, "must", lambda log, *command, **options: not said.append(command))
    monkeypatch.setattr(canary, "newest_crate", {"pyo3": "0.31.2", "quickcheck": "1.1.5"}.get)
    monkeypatch.setattr(canary, "rust_here", lambda: "1.99.0")
    assert canary.bring_up_to_date(project, {"maturin": "2.0.1"}, tmp_path / "log") is None
    manifest = canary.manifest_of(project)
    assert manifest["build-system"]["requires"] == ["maturin==2.0.1"]
    assert "maturin==2.0.1" in manifest["dependency-groups"]["wheel"]
    assert manifest["tool"]["cibuildwheel"]["environment"]["RUSTUP_TOOLCHAIN"] == "1.99.0"
    assert ("cargo", "add", "--quiet", "pyo3@0.31.2") in said
    assert not any("quickcheck" in word for command in said for word in command)
    compiled = [command for command in said if command[:3] == ("uv", "pip", "compile")]
    assert len(compiled) == 2
    assert all("--upgrade" in command for command in compiled)
