"""The check before anything is built: what stops a release, and what only a rehearsal lets pass."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import cargo_target
from helpers.fixture_types import Render, Run
from helpers.preflight_runs import Preflight
from helpers.rendering import ADA, SAMPLE, files
from tools.machine import GIT
from tools.template import DEFAULTS, PROJECT_FOLDER

pytestmark = pytest.mark.builds  # each takes seconds, and some compile

# Programs on a PATH are stood in for by links and shell scripts, which Windows does not start.
posix = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

TARGET = {"CARGO_TARGET_DIR": cargo_target()}


@pytest.fixture
def preflight(project: Path, run: Run) -> Preflight:
    """Run the preflight; return its status and what it printed."""

    def preflight(*arguments: str, **variables: str) -> tuple[int, str]:
        command = (sys.executable, "release/tools/preflight.py", *arguments)
        # There, cargo finds what it has asked rustc before.
        result = run(*command, cwd=project, check=False, **{**TARGET, **variables})
        assert "Traceback" not in result.stdout, result.stdout
        return result.returncode, result.stdout.strip()

    return preflight


def test_a_project_in_order_passes(preflight: Preflight) -> None:
    assert preflight() == (0, "")
    assert preflight("--tag=v0.1.0", "--branch=origin/main") == (0, "")


@pytest.mark.parametrize("tag", ["v0.1.1", "0.1.0", "v0.1", "release"])
def test_the_tag_must_be_the_version(preflight: Preflight, tag: str) -> None:
    status, printed = preflight(f"--tag={tag}")
    assert status == 1
    assert f"the tag is {tag}, but pyproject.toml has version 0.1.0" in printed


def test_the_tag_must_be_merged(preflight: Preflight, project: Path, run: Run) -> None:
    run("git", "commit", "--quiet", "--allow-empty", "--message=x", cwd=project, **GIT)
    assert preflight() == (0, "")
    status, printed = preflight("--tag=v0.1.0", "--branch=origin/main")
    assert status == 1
    assert "the tag v0.1.0 is not on origin/main: merge first" in printed
    run("git", "update-ref", "refs/remotes/origin/main", "HEAD", cwd=project)
    run("git", "checkout", "--quiet", "--detach", "HEAD~1", cwd=project)  # an older commit of it
    assert preflight("--tag=v0.1.0", "--branch=origin/main") == (0, "")


@posix
def test_rust_is_needed(preflight: Preflight, tmp_path: Path) -> None:
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.symlink_to(shutil.which("git") or "git is missing")
    status, printed = preflight(PATH=str(git.parent))
    assert status == 1
    assert printed == "Rust is missing (rustc): see https://rustup.rs"
    rustc = git.with_name("rustc")
    rustc.write_text("#!/bin/sh\necho 'rustc 1.84.9 (abc 2025-01-01)'\n")
    rustc.chmod(0o755)
    status, printed = preflight(PATH=f"{git.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert status == 1
    assert "rustc 1.84.9 is older than the 1.85 of Cargo.toml: `rustup update`" in printed


@posix
def test_git_is_needed(preflight: Preflight, tmp_path: Path) -> None:
    status, printed = preflight(PATH=str(tmp_path))
    assert status == 1
    assert "git is missing: a release is a commit and a tag. See https://git-scm.com" in printed


def test_the_lock_must_be_tracked(preflight: Preflight, project: Path, run: Run) -> None:
    run("git", "rm", "--quiet", "--cached", "Cargo.lock", cwd=project)
    status, printed = preflight()
    assert status == 1
    assert "git tracks no Cargo.lock: `git add Cargo.lock`, and commit it" in printed


def test_the_lock_must_be_fresh(preflight: Preflight, project: Path) -> None:
    manifest = project / "Cargo.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("[dependencies]", '[dependencies]\nmemchr = "2"'), "utf-8")
    assert manifest.read_text("utf-8") != text
    status, printed = preflight()
    assert status == 1
    assert "Cargo.lock is not what Cargo.toml asks for" in printed


def test_the_lock_must_have_the_checksums_of_the_crates(
    preflight: Preflight, project: Path
) -> None:
    lock = project / "Cargo.lock"
    text = lock.read_text("utf-8")
    (checksum,) = re.findall(r'^name = "libc"\n(?:.+\n)*?checksum = "(\w+)"', text, re.M)
    lock.write_text(text.replace(checksum, checksum[::-1]), "utf-8")
    status, printed = preflight()
    assert status == 1
    assert "cargo cannot read Cargo.toml: error: checksum for `libc v" in printed
    assert "changed between lock files" in printed


def test_the_license_texts_must_be_those_of_the_crates(preflight: Preflight, project: Path) -> None:
    file = project / "THIRD-PARTY-LICENSES.txt"
    file.write_text(file.read_text("utf-8").replace("  libc: ", "  another: "), "utf-8")
    status, printed = preflight()
    assert status == 1
    assert "does not fit Cargo.lock: it lacks libc; it names another, not linked" in printed
    file.unlink()
    status, printed = preflight()
    assert status == 1
    assert "THIRD-PARTY-LICENSES.txt is missing" in printed
    assert "`nox -s fix` or `python release/tools/licenses.py` writes it" in printed


@pytest.mark.parametrize("answer", ADA)
def test_placeholders_can_wait_for_the_release(
    repository: Callable[..., Path], run: Run, answer: str
) -> None:
    project = repository(**(ADA | {answer: DEFAULTS[answer]}))
    shutil.copy(project / ".template.json", project / ".cruft.json")  # where cruft keeps the same
    run("git", "add", ".cruft.json", cwd=project)
    command = (sys.executable, "release/tools/preflight.py")
    result = run(*command, cwd=project)
    (line,) = [line for line in result.stdout.splitlines() if f"{DEFAULTS[answer]}' is in " in line]
    assert line.startswith(f"Before a release: '{DEFAULTS[answer]}' is in ")
    where = "LICENSE" if answer == "author_name" else "pyproject.toml"
    assert where in line
    assert ".json" not in line
    tagged = run(*command, "--tag=v0.1.0", "--branch=main", cwd=project, check=False)
    assert tagged.returncode == 1
    assert DEFAULTS[answer] in tagged.stdout


def test_what_is_not_committed_is_noticed(preflight: Preflight, project: Path) -> None:
    (project / "notes.txt").write_text("x")
    status, printed = preflight()
    assert status == 0
    assert "not all is committed" in printed


def test_it_says_where_it_has_to_be_started(preflight: Preflight, project: Path) -> None:
    (project / "pyproject.toml").rename(project / "elsewhere.toml")
    assert preflight() == (1, "pyproject.toml is missing: start this in the project's folder")
    (project / "pyproject.toml").write_text("[project")
    assert preflight()[1].startswith("pyproject.toml: ")


def test_the_placeholders_are_the_questions_defaults() -> None:
    source = (PROJECT_FOLDER / "release" / "tools" / "preflight.py").read_text("utf-8")
    (listed,) = re.findall(r"^PLACEHOLDERS = \{\n((?:    .*\n)+)\}", source, re.M)
    keys = re.findall(r'^    "([^"]+)": ', listed, re.M)
    assert sorted(keys) == sorted([SAMPLE, *(DEFAULTS[answer] for answer in ADA)])


@pytest.mark.parametrize("place", ["README.md", "rust", "python"])
def test_the_sample_is_a_placeholder(
    preflight: Preflight, project: Path, render: Render, run: Run, place: str
) -> None:
    """Even where one file alone still has it."""
    sample = render()
    name = next(
        name
        for name, text in files(sample).items()
        if name.startswith(place) and SAMPLE.encode() in text
    )
    shutil.copy(sample / name, project / name)
    run("git", "commit", "--quiet", "--all", "--message=Back", cwd=project, **GIT)
    said = f"'{SAMPLE}' is in {name}: put your own there"
    status, printed = preflight()
    assert status == 0
    assert f"Before a release: {said}" in printed
    status, printed = preflight("--tag=v0.1.0", "--branch=main")
    assert status == 1
    assert said in printed


def test_names_of_files_are_printed_as_they_are_whatever_git_is_set_to(
    repository: Callable[..., Path], run: Run
) -> None:
    project = repository()
    for setting in ("color.ui", "color.grep"):
        run("git", "config", setting, "always", cwd=project)
    (project / "rust" / "größe.rs").write_text(f"// {SAMPLE}\n")
    run("git", "add", "--all", cwd=project)
    printed = run(sys.executable, "release/tools/preflight.py", cwd=project).stdout
    assert f"'{DEFAULTS['author_email']}' is in pyproject.toml: put your own there" in printed
    assert re.search(rf"'{SAMPLE}' is in .*, rust/größe\.rs[,:]", printed)


def test_a_name_or_a_test_that_reads_like_a_placeholder_is_none(
    repository: Callable[..., Path], run: Run
) -> None:
    names = {"project_name": "Guess Your Name", "description": "Guesses, for you."}
    project = repository(**(ADA | names))
    assert "guess-your-name" in (project / "pyproject.toml").read_text("utf-8")
    (project / "tests" / "test_mail.py").write_text('TO = "you@example.com"  # Your Name\n')
    run("git", "add", "--all", cwd=project)
    command = (sys.executable, "release/tools/preflight.py")
    assert "is in" not in run(*command, cwd=project).stdout


def test_a_branch_that_is_not_there_is_named(preflight: Preflight) -> None:
    status, printed = preflight("--tag=v0.1.0", "--branch=origin/nosuch")
    assert status == 1
    assert (
        printed == "there is no branch origin/nosuch here: fetch it, or name another with --branch"
    )


def test_cargo_says_why_it_cannot_read_the_manifest(preflight: Preflight, project: Path) -> None:
    manifest = project / "Cargo.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("[dependencies]", '[dependencies]\nx = { path = "no-such" }'))
    status, printed = preflight()
    assert status == 1
    assert "cargo cannot read Cargo.toml: error: " in printed
    assert "no-such" in printed


def test_a_lock_of_something_else_is_left_alone(
    preflight: Preflight, project: Path, run: Run
) -> None:
    (project / "tests" / "fixture").mkdir()
    (project / "tests" / "fixture" / "Cargo.lock").write_text("x")
    run("git", "add", "tests/fixture/Cargo.lock", cwd=project)
    run("git", "commit", "--quiet", "--message=x", cwd=project, **GIT)
    assert preflight() == (0, "")


@pytest.mark.parametrize(
    ("version", "normal"),
    [
        ("1.0.0rc1", True),
        ("1!2.0.post1.dev3", True),
        ("2026.1", True),
        ("1.0.0-rc1", False),
        ("01.0", False),
        ("1.0.0final2", False),
        ("v1.0", False),
        ("1.0+local", False),
    ],
)
def test_a_version_that_is_not_normal_is_refused(
    preflight: Preflight, project: Path, version: str, normal: bool
) -> None:
    for file, before in (("pyproject.toml", '"0.1.0"'), (".bumpversion.cfg", "= 0.1.0")):
        text = (project / file).read_text("utf-8")
        (project / file).write_text(text.replace(before, before.replace("0.1.0", version)), "utf-8")
    status, printed = preflight()
    assert (status == 0) == normal
    refused = f"the version {version!r} is not in its normal form (PEP 440)"
    assert (refused in printed) != normal
    assert normal or "write it like 1.2.3, 1.2.3rc1 or 1.2.3.post1" in printed


@pytest.mark.parametrize("tag", ["v1.0.0-rc1", "vowel", "1.0.0", "v", "v1.0\n"])
def test_with_a_dynamic_version_the_tag_must_be_one(
    preflight: Preflight, project: Path, tag: str
) -> None:
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('version = "0.1.0"', 'dynamic = ["version"]'), "utf-8")
    assert "the tag is" not in preflight("--tag=v1.0.0rc1")[1]
    status, printed = preflight(f"--tag={tag}")
    assert status == 1
    assert f"the tag is {tag}: name it like v1.2.3 (release/tag.txt), with a version" in printed


def test_a_toolchain_file_without_a_channel_asks_for_nothing(
    preflight: Preflight, project: Path
) -> None:
    (project / "rust-toolchain.toml").write_text("[toolchain]\nprofile = 'minimal'\n")
    # rustup takes the variable before the file, of which it says itself what is wrong.
    rust = subprocess.run(["rustc", "--print=sysroot"], capture_output=True, text=True, check=True)
    status, printed = preflight(RUSTUP_TOOLCHAIN=Path(rust.stdout.strip()).name)
    assert status == 0, printed
    assert "asks for Rust" not in printed


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("pyproject.toml", 'version = "0.1.0"', "version = 1.0"),
        ("pyproject.toml", "classifiers = [", "classifiers = 3\n[tool.x]\nclassifiers = ["),
        (".bumpversion.cfg", "[bumpversion]", "[bumpversion]\n\xff"),
    ],
)
def test_a_value_of_the_wrong_kind_is_no_traceback(
    preflight: Preflight, project: Path, file: str, before: str, after: str
) -> None:
    content = (project / file).read_bytes()
    assert before.encode() in content
    (project / file).write_bytes(content.replace(before.encode(), after.encode("latin-1"), 1))
    status, printed = preflight()  # which looks for a traceback
    assert status == 1
    assert file in printed


@pytest.mark.parametrize("name", ["rust-toolchain.toml", "rust-toolchain"])
def test_another_rust_than_that_of_the_wheels_is_named(
    preflight: Preflight, project: Path, run: Run, name: str, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    sysroot = run("rustc", "--print=sysroot", cwd=tmp_path).stdout.strip()
    real = f'RUSTC="{sysroot}/bin/rustc" exec "{sysroot}/bin/cargo" "$@"'
    scripts = {
        "git": f'exec "{shutil.which("git")}" "$@"',
        # Not by way of rustup, which would fetch the toolchain.
        "cargo": real,
        "rustc": "echo 'rustc 1.99.0 (abc 2026-01-01)'",
    }
    for program, words in scripts.items():
        script = f"#!/bin/sh\n{words}\n"
        (tmp_path / "bin" / program).write_text(script)
        (tmp_path / "bin" / program).chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    pinned = re.findall(r'RUSTUP_TOOLCHAIN = "(.*?)"', (project / "pyproject.toml").read_text())[0]
    for channel in ("1.80.0", pinned):
        text = f'[toolchain]\nchannel = "{channel}"\n'
        (project / name).write_text(text if name.endswith("toml") else f"{channel}\n")
        status, printed = preflight(PATH=path)
        if channel == pinned:
            assert status == 0, printed
            continue
        assert status == 1
        assert f"{name} asks for Rust 1.80.0, but pyproject.toml sets RUSTUP_TOOLCHAIN" in printed


@posix
def test_what_rustc_says_is_passed_on(preflight: Preflight, tmp_path: Path) -> None:
    rustc = tmp_path / "bin" / "rustc"
    rustc.parent.mkdir()
    rustc.write_text("#!/bin/sh\necho 'error: no default toolchain' >&2\nexit 1\n")
    rustc.chmod(0o755)
    status, printed = preflight(PATH=f"{rustc.parent}{os.pathsep}{os.environ['PATH']}")
    assert status == 1
    assert printed == "rustc does not start: error: no default toolchain"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_no_letter_is_too_strange_to_print(
    preflight: Preflight, project: Path, run: Run, encoding: str
) -> None:
    run("git", "remote", "set-url", "origin", "https://host/ada/täst-🦀", cwd=project)
    status, printed = preflight(PYTHONIOENCODING=encoding)
    assert status == 0
    assert "git's origin is https://host/ada/t" in printed


def test_a_private_project_is_refused_with_a_tag(repository: Callable[..., Path], run: Run) -> None:
    project = repository(**ADA, license="Proprietary")
    command = (sys.executable, "release/tools/preflight.py", "--tag=v0.1.0", "--branch=main")
    result = run(*command, cwd=project, check=False)
    assert result.returncode == 1
    assert "the classifier 'Private :: Do Not Upload' of pyproject.toml" in result.stdout
