"""A rehearsal sees no setting of its owner, and works on no repository but its own clone."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Repository, Run
from helpers.hostile_settings import HOSTILE, located
from helpers.rehearsals import WHEEL, state, tidy
from tools.machine import GIT

pytestmark = pytest.mark.builds


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def decoy(run: Run, tmp_path: Path) -> Path:
    """A repository that nothing is meant for."""
    decoy = tmp_path / "decoy"
    decoy.mkdir()
    (decoy / "file.txt").write_text("mine\n")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=decoy)
    run("git", "add", "--all", cwd=decoy)
    run("git", "commit", "--quiet", "--message=Mine", cwd=decoy, **GIT)
    return decoy


def test_no_setting_of_the_owner_reaches_it(
    repository: Repository, run: Run, scratch: Path, decoy: Path, one_python: str
) -> None:
    """All at once, pip's and git's files too; and git's variables for another repository."""
    project = repository(build_backend="setuptools-rust")
    shadows = scratch.with_name("shadows")
    shadows.mkdir()
    for name in ("build", "preflight", "environment", "twine"):
        (shadows / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    hooks = scratch.with_name("hooks")
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-commit", "post-checkout"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings = scratch.with_name("gitconfig")
    settings.write_text(
        f"[core]\nhooksPath = {hooks}\n[commit]\ngpgSign = true\n"
        "[tag]\ngpgSign = true\nforceSignAnnotated = true\n[gpg]\nprogram = /no/such\n"
        "[color]\nui = always\n[log]\nshowSignature = true\n"
        "[clone]\ndefaultRemoteName = elsewhere\nrejectShallow = true\n"
        "[status]\nshowUntrackedFiles = no\n[user]\nuseConfigOnly = true\n",
    )
    of_pip = scratch.with_name("pip.conf")
    of_pip.write_text("[global]\nuser = true\nno-deps = true\n[install]\ntarget = /no/such\n")
    run("git", "commit", "--quiet", "--allow-empty", "--message=With a 🦀", cwd=project, **GIT)
    before, untouched = state(project, run), contents(decoy)
    variables = (
        HOSTILE
        | located(decoy)
        | {
            "PYTHONPATH": str(shadows),
            "GIT_CONFIG_GLOBAL": str(settings),
            "GIT_CONFIG_PARAMETERS": f"'commit.gpgSign=true' 'core.hooksPath={hooks}'",
            "PIP_CONFIG_FILE": str(of_pip),
            "TMPDIR": str(scratch),
            "PATH": one_python,
            "CARGO_TARGET_DIR": QUICK["CARGO_TARGET_DIR"],
        }
    )
    # nox itself is no step of a release: it starts as the owner's Python does.
    for_nox = {"PYTHONPATH": "", "PYTHONWARNINGS": "", "PYTHONPYCACHEPREFIX": ""}
    result = run("nox", "-s", "rehearse", cwd=project, check=False, **(variables | for_nox))
    assert f"install on {sys.version_info.major}.{sys.version_info.minor}" in result.stdout
    assert "With a 🦀" in result.stdout or "With a \\U0001f980" in result.stdout
    assert "Session rehearse was successful" in result.stdout
    skipped = ("commit.gpgSign", "tag.gpgSign", "tag.forceSignAnnotated")
    for setting in skipped:
        assert f"Before a release: git is told to sign ({setting}), which was not" in result.stdout
    assert contents(decoy) == untouched
    tidy(project)
    assert state(project, run) == before


def test_the_program_alone_is_as_deaf(
    repository: Repository,
    rehearse: Callable[..., subprocess.CompletedProcess[str]],
    decoy: Path,
) -> None:
    project, untouched = repository(), contents(decoy)
    hostile = HOSTILE | located(decoy)
    hostile.pop("PYTHONWARNINGS")  # of the template's own tools, and of no step
    printed = rehearse(project, **hostile).stdout
    assert re.search(rf"install on 3\.1\d +{WHEEL}", printed)
    assert contents(decoy) == untouched


def test_as_a_hook_of_a_linked_worktree(
    repository: Repository, run: Run, scratch: Path, one_python: str, tmp_path: Path
) -> None:
    """git tells a hook where the repository is, by variables that win over every folder."""
    project = repository()
    origin, tree = tmp_path / "origin.git", tmp_path / "tree"
    run("git", "clone", "--quiet", "--bare", project, origin, cwd=tmp_path)
    run("git", "remote", "add", "origin", origin, cwd=project)
    hook = project / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nenv | grep ^GIT_DIR=\nexec nox -s rehearse\n")
    hook.chmod(0o755)
    run("git", "worktree", "add", "--quiet", "-b", "topic", tree, cwd=project)
    run("git", "commit", "--quiet", "--allow-empty", "--message=Topic", cwd=tree, **GIT)
    before = [*state(project, run), run("git", "log", "--all", "--format=%s", cwd=project).stdout]
    variables = {"TMPDIR": str(scratch), "PATH": one_python, **QUICK}
    printed = run("git", "push", "origin", "topic", cwd=tree, **variables).stdout
    assert "GIT_DIR=" in printed
    assert re.search(r"bump and tag +v0\.1\.1", printed)
    assert "Before a release: git runs pre-push of " in printed
    after = [*state(project, run), run("git", "log", "--all", "--format=%s", cwd=project).stdout]
    assert after == before
    assert run("git", "tag", cwd=origin).stdout == ""


def test_a_folder_in_which_nothing_starts_is_named(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    """As a TMPDIR without `exec`: here, a shell that is not there stands for it."""
    project = repository()
    program = (project / "release" / "tools" / "rehearse.py").read_text("utf-8")
    assert "#!/bin/sh" in program
    (project / "release" / "tools" / "rehearse.py").write_text(
        program.replace("#!/bin/sh", "#!/no/such")
    )
    result = run(sys.executable, "release/tools/rehearse.py", cwd=project, check=False)
    assert "Name another folder in TMPDIR" in result.stdout
    assert "The rehearsal stopped at: preflight." in result.stdout
