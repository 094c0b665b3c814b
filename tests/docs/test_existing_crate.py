"""docs/how-to/existing-crate.md: a crate at the root of its repository moves into a project.

As far as no wheel has to be built for it; tests/on_demand/ has the rest.
"""

import re
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from helpers.adoption import CRATE_PAGE, call, move
from helpers.builds import UNOPTIMISED
from helpers.fixture_types import Render, Run
from helpers.pages import edit
from tools.machine import GIT
from tools.template import BACKENDS

pytestmark = pytest.mark.builds

CRATE = {
    "Cargo.toml": """\
[package]
name = "crc32fast"
version = "1.2.3"
edition = "2021"
license = "MIT"
""",
    "src/lib.rs": """\
/// The CRC-32 checksum, bit by bit.
pub fn hash(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 * (sum & 1)))
    })
}
""",
    "README.md": "# The crate",
    "LICENSE": "MIT, as it is here",
    ".gitignore": "/target",
    ".github/workflows/ci.yml": "name: The crate's CI",
    "a file with spaces": "",
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crate_at_the_root_of_its_repository(backend: str, run: Run, tmp_path: Path) -> None:
    project = tmp_path / "your-repository"
    for name, content in CRATE.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content, "utf-8")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=The crate", cwd=project, **GIT)
    (project / "target").mkdir()
    (project / "target" / "output").touch()

    move(project, backend, run)
    log = run("git", "log", "--format=%s", cwd=project).stdout
    assert log == "Move the crate into a folder\nThe crate\n"
    for name, content in CRATE.items():
        assert (project / "your-crate" / name).read_text("utf-8") == content
    assert run("git", "status", "--porcelain", "your-crate", "target", cwd=project).stdout == ""
    added = run("git", "status", "--porcelain", cwd=project).stdout
    assert set(re.findall(r"^..", added, re.M)) == {"??"}, added
    assert "?? .github/\n" in added

    call(project, backend, run)
    kernel = ("cargo", "test", "--locked", "--no-default-features")
    target = UNOPTIMISED | {"CARGO_TARGET_DIR": str(tmp_path / "target")}
    assert "1 passed" in run(*kernel, cwd=project, **target).stdout
    lint = (sys.executable, "-m", "ruff", "check", "--no-cache")
    run(*lint, cwd=project)
    of_that_name = project / "python" / "your-crate"
    of_that_name.mkdir()
    (of_that_name / "module.py").write_text("import os\n")
    assert "F401" in run(*lint, cwd=project, check=False).stdout
    shutil.rmtree(of_that_name)
    run("git", "add", "--all", cwd=project)
    build = ("-m", "build", "--sdist", "--no-isolation", f"--outdir={tmp_path / 'dist'}")
    run(sys.executable, *build, cwd=project, **target)
    (sdist,) = (tmp_path / "dist").iterdir()
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"your-crate/Cargo.toml", "your-crate/src/lib.rs", "rust/kernel.rs"} <= names


def test_uv_run_uses_a_crate_as_it_is_now(render: Render, run: Run, tmp_path: Path) -> None:
    """Here the crate is a member of a workspace, which lies in the package's folder."""
    project = render()
    member = project / "your-crate" / "crates" / "crc32fast"
    for name in ("Cargo.toml", "src/lib.rs"):
        (member / name).parent.mkdir(parents=True, exist_ok=True)
        (member / name).write_text(CRATE[name], "utf-8")
    outer = project / "your-crate" / "Cargo.toml"
    outer.write_text('[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n')
    call(project, BACKENDS[0], run, "your-crate/crates/crc32fast")

    def answer() -> tuple[str, bool]:
        """The checksum of nothing, and whether uv has built the package for it."""
        uv_run = ("uv", "run", "--no-default-groups", f"--python={sys.executable}")
        question = "import fast_doubles; print(fast_doubles.checksum(b''))"
        target = UNOPTIMISED | {"CARGO_TARGET_DIR": str(tmp_path / "target")}
        printed = run(*uv_run, "python", "-c", question, cwd=project, **target).stdout
        return printed.splitlines()[-1], "Installed" in printed

    assert answer() == ("0", True)
    assert answer() == ("0", False)
    edit(member / "src" / "lib.rs", "    !data", "    data")
    assert answer() == (f"{2**32 - 1}", True)
    assert answer() == (f"{2**32 - 1}", False)
    # uv finds `Cargo.*`, which each project has in its list, in any folder.
    edit(outer, "[workspace]", "# Edited\n[workspace]")
    assert answer() == (f"{2**32 - 1}", True)


def test_no_lint_is_left_where_the_sessions_of_the_sample_are_deleted(
    render: Render, run: Run
) -> None:
    """As the page says in step 2; `nox --session fix` of step 3 runs the first of these."""
    noxfile = render() / "noxfile.py"
    text = noxfile.read_text("utf-8")
    for name in re.findall(r"`nox -s ([\w-]+)`", CRATE_PAGE.section("2. Call it").text):
        session = rf"(?s)@nox\.session\([^\n]*\)\ndef {name.replace('-', '_')}\(.*?\n\n\n(?=\S)"
        text, count = re.subn(session, "", text)
        assert count == 1, name
    noxfile.write_text(text, "utf-8")
    run("ruff", "check", "--fix-only", noxfile, cwd=noxfile.parent)
    run("ruff", "check", noxfile, cwd=noxfile.parent)
    assert "count_doubles" not in text
