"""Which variables a release sees: what a machine or a company needs; nothing that changes it."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from answers import PROJECT_FOLDER, TEMPLATE
from test_rehearsal import HOSTILE, located

sys.path.insert(0, str(PROJECT_FOLDER / "release"))
sys.dont_write_bytecode = True  # the template's folder stays clean
import environment  # noqa: E402

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], bool]:
    """Whether a release sees a variable that is set."""

    def passed(name: str) -> bool:
        monkeypatch.setenv(name, "something")
        return name not in environment.left_out()

    return passed


@pytest.mark.parametrize("name", [*HOSTILE, *located(Path())])
def test_what_breaks_a_step_is_left_out(passed: Callable[[str], bool], name: str) -> None:
    """One by one: all at once, as in the rehearsal, one may hide what another does."""
    assert not passed(name)


def test_what_ties_git_to_a_repository_is_left_out(
    passed: Callable[[str], bool], run: Run, tmp_path: Path
) -> None:
    names = run("git", "rev-parse", "--local-env-vars", cwd=tmp_path).stdout.split()
    settings = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}  # these name no repository
    assert {name for name in names if passed(name)} == settings


def test_what_the_page_on_mirrors_and_proxies_sets_is_seen(passed: Callable[[str], bool]) -> None:
    page = TEMPLATE / "docs" / "how-to" / "mirror-and-proxy.md"
    names = set(re.findall(r"\bexport (\w+)=", page.read_text("utf-8")))
    assert len(names) > 8
    assert {name for name in names if not passed(name)} == set()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("PATH HOME TMPDIR TEMP", "no program is found, or has a place for its files"),
        ("CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN", "another Rust is found, or none"),
        ("CARGO_TARGET_DIR", "everything is compiled again"),
        ("SYSTEMROOT COMSPEC PATHEXT", "on Windows, Python has no sockets and starts no program"),
        ("APPDATA LOCALAPPDATA USERPROFILE PROGRAMFILES(X86)", "no caches, and no Visual Studio"),
        ("MACOSX_DEPLOYMENT_TARGET SDKROOT DEVELOPER_DIR", "wheels are for the newest macOS alone"),
        ("GIT_CONFIG_GLOBAL GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0", "CI's `safe.directory` is lost"),
        ("UV_PYTHON_DOWNLOADS UV_CACHE_DIR PIP_CACHE_DIR", "everything is fetched again"),
    ],
)
def test_what_a_machine_needs_is_seen(
    passed: Callable[[str], bool], names: str, reason: str
) -> None:
    for name in names.split():
        assert passed(name), f"without {name}, {reason}"
