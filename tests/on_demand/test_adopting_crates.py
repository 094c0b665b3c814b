"""What the pages on adopting say, done with real crates and with other layouts: `nox -s adopt`."""

import json
import re
import shutil
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from helpers.adoption import CRATE_PAGE, adopt, call, insert
from helpers.builds import BUILD
from helpers.fixture_types import Render, Run
from helpers.layouts import write_layout
from helpers.local_index import LocalIndex
from helpers.workflow_run import WorkflowRun
from tools.machine import GIT, python_of
from tools.template import BACKENDS

TARGET = {"CARGO_TARGET_DIR": str(BUILD / "target-adopting")}


@dataclass
class Crate:
    """What differs from the page where the crate is another one than the page's.

    words: words of the page's code, and what stands in their place; test: the Python test.
    """

    words: dict[str, str] = field(default_factory=dict)
    test: str = ""


TEXT = {"data: &[u8]) -> u32": "data: &str) -> usize", "data: bytes": "data: str"}
TEST = """\
from fast_doubles import checksum


def test_checksum() -> None:
    assert [checksum(text) for text in {texts}] == {results}
"""
CRATES = {
    "crc32fast": Crate(),
    "strsim": Crate(
        TEXT
        | {
            "crc32fast::hash(data)": 'strsim::levenshtein(data, "kitten")',
            'b""), 0': '""), 6',
            'b"123456789"), 0xCBF4_3926': '"sitting"), 3',
            'b"123456789")\n3421780262': '"mitten")\n1',
        },
        TEST.format(
            texts=json.dumps(["", "kitten", "sitting", "kätten"], ensure_ascii=False),
            results=[6, 0, 3, 1],
        ),
    ),
    "unicode-segmentation": Crate(
        TEXT
        | {
            "#![forbid(unsafe_code)]\n": "#![forbid(unsafe_code)]\n"
            "\nuse unicode_segmentation::UnicodeSegmentation;\n",
            "crc32fast::hash(data)": "data.graphemes(true).count()",
            'b"123456789"), 0xCBF4_3926': '"e\\u{301}a"), 2',
            'b""': '""',
            'b"123456789")\n3421780262': '"123")\n3',
        },
        TEST.format(
            texts=json.dumps(["", "e\u0301a", "🇩🇪🇫🇷", "👩‍👩‍👧"], ensure_ascii=False),
            results=[0, 2, 2, 1],
        ),
    ),
    "unicode-width": Crate(
        TEXT
        | {
            "#![forbid(unsafe_code)]\n": "#![forbid(unsafe_code)]\n"
            "\nuse unicode_width::UnicodeWidthStr;\n",
            "crc32fast::hash(data)": "data.width()",
            'b"123456789"), 0xCBF4_3926': '"e\\u{301}a"), 2',
            'b""': '""',
            'b"123456789")\n3421780262': '"123")\n3',
        },
        TEST.format(
            texts=json.dumps(["", "e\u0301a", "漢字", "abc"], ensure_ascii=False),
            results=[0, 2, 4, 3],
        ),
    ),
}
PLACES = {"inside": "your-crate", "next to it": "../your-crate"}
CASES = [
    ("crc32fast", "inside", "maturin"),
    ("crc32fast", "inside", "setuptools-rust"),
    ("strsim", "inside", "setuptools-rust"),
    ("strsim", "next to it", "maturin"),
    ("unicode-segmentation", "inside", "maturin"),
    ("unicode-segmentation", "next to it", "maturin"),
    ("unicode-width", "inside", "setuptools-rust"),
]


@pytest.fixture(scope="module")
def vendored(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the crates, as their authors wrote them, by cargo and its lock."""
    folder = tmp_path_factory.mktemp("vendored")
    manifest = Path(__file__).with_name("crates") / "Cargo.toml"
    run("cargo", "vendor", "--locked", f"--manifest-path={manifest}", folder, cwd=folder)
    for crate in folder.iterdir():
        (crate / "Cargo.toml.orig").replace(crate / "Cargo.toml")
        for added in (".cargo-checksum.json", ".cargo_vcs_info.json"):
            (crate / added).unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize(("crate", "place", "backend"), CASES)
def test_a_crate_from_crates_io_is_called(
    crate: str,
    place: str,
    backend: str,
    vendored: Path,
    render: Render,
    run: Run,
    tmp_path: Path,
) -> None:
    project = tmp_path / "repository" / "fast-doubles"
    shutil.copytree(render(build_backend=backend), project, ignore=shutil.ignore_patterns(".git"))
    shutil.copytree(vendored / crate, project / PLACES[place])
    if place == "next to it":  # in a surrounding workspace, of whose values the crate takes one
        surround(project.parent)
    call(project, backend, run, PLACES[place], CRATES[crate].words, CRATES[crate].test)
    run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
    # The crate has no guard against another build's library: a target folder of its own.
    target = {"CARGO_TARGET_DIR": str(tmp_path / "target")}
    fix, add, check, build, commit, rehearse = CRATE_PAGE.commands()[-6:]
    run("sh", "-c", fix, cwd=project)
    run("sh", "-c", add, cwd=project)
    printed = run("sh", "-c", check, cwd=project, **target).stdout
    for session in ("lint", "rust", f"tests-3.{sys.version_info.minor}"):
        assert f"* {session}: success" in printed, printed
    # The wheel is built from the sdist: without the crate in it, this fails.
    run("sh", "-c", build, cwd=project, **target)
    (sdist,) = project.glob("dist/*.tar.gz")
    (wheel,) = project.glob("dist/*.whl")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"your-crate/Cargo.toml", "your-crate/src/lib.rs"} <= names
    # Where cibuildwheel looks for it, but not next to the crate: then it is in fast-doubles/.
    assert ("release/wheel-requirements.txt" in names) == (place == "inside")
    python = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", python, cwd=tmp_path)
    python = python / "bin" / "python"
    run("uv", "pip", "install", f"--python={python}", wheel, "pytest", cwd=tmp_path)
    tests = shutil.copytree(project / "tests", tmp_path / "away" / "tests")
    shutil.copy(project / "pyproject.toml", tests.parent)
    assert "passed" in run(python, "-m", "pytest", "tests", cwd=tests.parent).stdout

    if place == "inside":
        run("sh", "-c", commit, cwd=project, **GIT)
        printed = run("sh", "-c", rehearse, cwd=project, **target).stdout
        released = r"fast_doubles-0\.1\.1-cp311-abi3-\w+\.whl"
        assert re.search(rf"install on 3\.(\d+) +{released}", printed), printed
        assert run("git", "status", "--porcelain", cwd=project).stdout == ""


def surround(folder: Path) -> None:
    """Make a folder a cargo workspace that the crate in it is a member of, and another crate."""
    (folder / "Cargo.toml").write_text(
        '[workspace]\nmembers = ["your-crate", "other"]\nresolver = "2"\n'
        '\n[workspace.package]\nlicense = "MIT OR Apache-2.0"\n'
    )
    manifest = folder / "your-crate" / "Cargo.toml"
    inherited = "license.workspace = true"
    text, count = re.subn(r"(?m)^license = .*", inherited, manifest.read_text("utf-8"))
    assert count == 1
    manifest.write_text(text, "utf-8")
    (folder / "other" / "src").mkdir(parents=True)
    (folder / "other" / "src" / "lib.rs").touch()
    (folder / "other" / "Cargo.toml").write_text('[package]\nname = "other"\nversion = "0.1.0"\n')


def test_setuptools_rust_cannot_take_a_crate_from_outside(
    vendored: Path, render: Render, run: Run, tmp_path: Path
) -> None:
    """As the page says: the wheel can be built in place, but not from the sdist."""
    project = tmp_path / "repository" / "fast-doubles"
    backend = "setuptools-rust"
    shutil.copytree(render(build_backend=backend), project, ignore=shutil.ignore_patterns(".git"))
    shutil.copytree(vendored / "crc32fast", project / PLACES["next to it"])
    call(project, backend, run, PLACES["next to it"])
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", "--all", cwd=project)
    target = {"CARGO_TARGET_DIR": str(tmp_path / "target")}
    run("python", "-m", "build", "--wheel", cwd=project, **target)
    result = run("python", "-m", "build", cwd=project, check=False, **target)
    assert result.returncode != 0
    assert "your-crate/Cargo.toml" in result.stdout


def said(folder: str) -> str:
    """The setting that the page advises to keep a folder out of a workspace."""
    setting = f'exclude = ["{folder}"]'
    assert f"`{setting}`" in CRATE_PAGE.text
    return setting


def test_workspaces_are_kept_apart_as_the_page_says(
    vendored: Path, render: Render, run: Run, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    project = repository / "fast-doubles"
    shutil.copytree(render(), project, ignore=shutil.ignore_patterns(".git"))
    shutil.copytree(vendored / "strsim", repository / "your-crate")
    surround(repository)
    metadata = ("cargo", "metadata", "--format-version=1", "--no-deps")
    outer = repository / "Cargo.toml"
    text = outer.read_text()
    outer.write_text(text.replace('"your-crate", "other"', '"*"'))
    run(*metadata, "--locked", cwd=project)
    result = run(*metadata, cwd=repository, check=False)
    assert "multiple workspace roots found" in result.stdout
    outer.write_text(outer.read_text().replace("resolver", f"{said('fast-doubles')}\nresolver"))
    run(*metadata, cwd=repository)

    inside = project / "your-crate"
    shutil.copytree(vendored / "strsim", inside)
    with (inside / "Cargo.toml").open("a") as manifest:
        manifest.write("\n[workspace]\n")
    add = ("cargo", "add", "--path=your-crate")
    assert "multiple workspace roots found" in run(*add, cwd=project, check=False).stdout
    insert(project / "Cargo.toml", "[workspace]", f"{said('your-crate')}\n")
    run(*add, cwd=project)
    run(*metadata, cwd=project)


@pytest.mark.parametrize("backend", BACKENDS)
def test_release_half_of_an_existing_project(backend: str, run: Run, tmp_path: Path) -> None:
    project = write_layout(tmp_path / "your-package", backend, run)
    look, rehearse = adopt(project, backend, run)
    look = look.replace("python ", f"{sys.executable} ")
    printed = run("sh", "-c", look, cwd=project).stdout
    assert (
        printed == "Before a release: git has no remote named origin: `git remote add origin URL`\n"
    )
    printed = run("sh", "-c", rehearse, cwd=project, **TARGET).stdout
    wheel = r"your_package-{}-cp311-abi3-\w+\.whl"
    here = re.search(r"install on 3\.(\d+) +" + wheel.format(r"1\.4\.1"), printed)
    assert here, printed
    assert re.search(r"bump and tag +v1\.4\.1", printed)

    kept = run("sh", "-c", f"{rehearse} -- --no-bump", cwd=project, **TARGET).stdout
    assert re.search(r"bump and tag +v1\.4\.0", kept)
    assert re.search(r"install on 3\.\d+ +" + wheel.format(r"1\.4\.0"), kept)

    # The gate, over files of this project and as CI calls it.
    run(
        "python",
        "-m",
        "build",
        "--no-isolation",
        f"--outdir={tmp_path / 'dist'}",
        cwd=project,
        **TARGET,
    )
    gate = ("python", "release/tools/gate.py", tmp_path / "dist", "--rehearsal")
    assert "2 files may be uploaded." in run(*gate, "--tag=v1.4.0", cwd=project).stdout
    wrong = run(*gate, "--tag=v1.4.1", cwd=project, check=False)
    assert wrong.returncode == 1
    assert "has version 1.4.0, the tag is v1.4.1" in wrong.stdout
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""


@pytest.mark.parametrize("backend", BACKENDS)
def test_failing_tests_of_an_existing_project_stop_the_rehearsal(
    backend: str, run: Run, tmp_path: Path
) -> None:
    project = write_layout(tmp_path / "your-package", backend, run)
    _, rehearse = adopt(project, backend, run)
    lib = project / "crate" / "src" / "lib.rs"
    lib.write_text(lib.read_text("utf-8").replace("aeiou", "xyz"), "utf-8")
    run("git", "commit", "--quiet", "--all", "--message=A fault", cwd=project, **GIT)
    result = run("sh", "-c", f"{rehearse} -- --no-bump", cwd=project, check=False, **TARGET)
    assert result.returncode == 1
    assert "FAILED checks/test_vowels.py" in result.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins for the runners are for Linux")
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_workflow_releases_an_existing_project(backend: str, run: Run, tmp_path: Path) -> None:
    """With stand-ins for the runners; of the platforms, the one that is really built."""
    project = write_layout(tmp_path / "your-package", backend, run)
    adopt(project, backend, run)
    (project / "release" / "wheels.txt").write_text("manylinux_x86_64 abi3\n")
    readme = project / "release" / "README.md"
    publisher = readme.read_text("utf-8")
    for asked, simulated in (("you", "ada"), ("your-repository", "fast-doubles")):
        assert f"| `{asked}` |" in publisher
        publisher = publisher.replace(f"| `{asked}` |", f"| `{simulated}` |")
    readme.write_text(publisher, "utf-8")
    origin = tmp_path / "origin.git"
    run("git", "commit", "--quiet", "--all", "--message=One platform", cwd=project, **GIT)
    run("git", "clone", "--quiet", "--bare", project, origin, cwd=tmp_path)
    for tag in ("v1.4.0", "v1.5.0"):
        run("git", "tag", tag, cwd=origin)

    python = python_of(tmp_path / "runner")
    run("uv", "venv", "--seed", f"--python={sys.executable}", tmp_path / "runner", cwd=tmp_path)
    for lock in ("requirements.txt", "wheel-requirements.txt"):
        file = project / "release" / lock
        install = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
        run(*install, f"--requirement={file}", cwd=tmp_path)
    with LocalIndex(tmp_path / "pypi") as pypi:

        def workflow(tag: str) -> WorkflowRun:
            return WorkflowRun(
                file=project / ".github" / "workflows" / "release.yml",
                origin=origin,
                folder=tmp_path / tag,
                python=python,
                indexes={"": pypi.url},
                password=pypi.password,
                ref=tag,
            )

        # No file of the project has the version in [project]: the sdist is what shows it.
        wrong = workflow("v1.5.0").run()
        assert (wrong.results["check"], wrong.results["sdist"]) == ("success", "failure")
        assert "has version 1.4.0, the tag is v1.5.0" in wrong.printed
        assert wrong.results["wheels"] == "skipped"
        assert pypi.files() == {}

        right = workflow("v1.4.0").run()
        assert {right.results[job] for job in ("install", "gate", "publish")} == {"success"}, (
            right.printed
        )
        wheel = "your_package-1.4.0-cp311-abi3-manylinux"
        assert sorted(name[: len(wheel)] for name in pypi.files()) == [
            wheel,
            "your_package-1.4.0.tar.gz",
        ]
