"""docs/how-to/release-half.md: the release half in projects of another layout.

As far as no release has to be rehearsed for it; tests/on_demand/ has the rest.
"""

import json
import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from cibuildwheel.options import CommandLineArguments, Options

from helpers.adoption import PAGE, adopt, from_here, set_value
from helpers.builds import UNOPTIMISED
from helpers.fixture_types import Run
from helpers.layouts import write_flat_layout, write_layout
from tools.machine import GIT
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, PYTHONS

pytestmark = pytest.mark.builds


@pytest.fixture(params=BACKENDS)
def adopted(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Path:
    """A project that was there before, with the release half, as the page brings it there."""
    project = write_layout(tmp_path / "your-package", request.param, run)
    adopt(project, request.param, run)
    return project


def test_preflight_and_plan_know_what_to_do_without_a_version(adopted: Path, run: Run) -> None:
    run("git", "remote", "add", "origin", "https://example.com/you/your-package", cwd=adopted)
    preflight = (sys.executable, "release/tools/preflight.py", "--tag=v9.9.9", "--branch=HEAD")
    assert run(*preflight, cwd=adopted).stdout == ""  # the gate will compare the tag
    printed = run(sys.executable, "release/tools/plan.py", cwd=adopted).stdout
    plan = dict(line.split("=", 1) for line in printed.splitlines())
    linux = [job for job in json.loads(plan["install"]) if job["platform"] == "manylinux_x86_64"]
    assert [job["python"] for job in linux] == [FLOORS[0], *PYTHONS[-2:]]
    assert "cp314t" not in plan["build"]


def test_table_for_the_free_threaded_stable_abi_can_be_copied(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_layout(tmp_path / "your-package", "maturin", run)
    adopt(project, "maturin", run)
    (line,) = PAGE.blocks("sh")
    run("sh", "-c", line, cwd=project)
    monkeypatch.chdir(project)
    options = Options("linux", CommandLineArguments.defaults(), {"PATH": os.environ["PATH"]})

    def inside(identifier: str) -> dict[str, str]:
        environment = options.build_options(f"{identifier}-manylinux_x86_64").environment
        return environment.as_dictionary({"HOME": "", "PATH": ""})

    assert "pyo3/abi3t-py315" in inside("cp315t")["MATURIN_PEP517_ARGS"]
    assert "RUSTUP_TOOLCHAIN" in inside("cp315t")
    assert "MATURIN_PEP517_ARGS" not in inside("cp311")


def test_what_the_preflight_asks_of_the_crate_in_its_folder(adopted: Path, run: Run) -> None:
    manifest = adopted / "crate" / "Cargo.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("1.4.0", "1.4.1"), "utf-8")
    result = run(sys.executable, "release/tools/preflight.py", cwd=adopted, check=False)
    assert result.returncode == 1
    assert "Cargo.lock is not what Cargo.toml asks for" in result.stdout


def test_plan_says_where_it_looks_for_the_oldest_python(adopted: Path, run: Run) -> None:
    for name in ("pyproject.toml", "setup.cfg"):
        if (file := adopted / name).exists():
            text = file.read_text("utf-8").replace("requires-python", "x-python")
            file.write_text(text.replace("python_requires", "x_requires"), "utf-8")
    result = run(sys.executable, "release/tools/plan.py", cwd=adopted, check=False)
    assert result.returncode == 1
    assert "requires-python has to begin with '>=3.', and is ''" in result.stdout
    assert "Traceback" not in result.stdout


def test_the_sdist_holds_what_wheels_are_built_and_tested_with(
    adopted: Path, run: Run, tmp_path: Path
) -> None:
    run("python", "-m", "build", "--sdist", "--no-isolation", f"--outdir={tmp_path}", cwd=adopted)
    (sdist,) = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path / "unpacked")
    (root,) = (tmp_path / "unpacked").iterdir()
    for name in ("release/wheel-requirements.txt", "checks/test_vowels.py", "crate/src/lib.rs"):
        assert (root / name).read_bytes() == (adopted / name).read_bytes()

    gate = ("python", "release/tools/gate.py", tmp_path / "dist", "--rehearsal")
    (tmp_path / "dist").mkdir()
    sdist.replace(tmp_path / "dist" / sdist.name)
    assert "1 file may be uploaded." in run(*gate, "--tag=v1.4.0", cwd=adopted).stdout
    wrong = run(*gate, "--tag=v1.5.0", cwd=adopted, check=False)
    assert wrong.returncode == 1
    assert "has version 1.4.0, the tag is v1.5.0" in wrong.stdout


def test_a_flat_project_without_a_lock_is_told_all_that_it_lacks(run: Run, tmp_path: Path) -> None:
    """And what it is told is enough: no edit is needed that page or programs do not name."""
    project = write_flat_layout(tmp_path / "your-package", run)
    run("git", "remote", "add", "origin", "https://github.com/you/your-repository", cwd=project)
    for line in PAGE.commands()[:10]:
        words = from_here(line).replace("build_backend=maturin", "build_backend=setuptools-rust")
        run("sh", "-c", words, cwd=project, **GIT)
    edit_tests(project)
    preflight = (sys.executable, "release/tools/preflight.py")

    def told(*arguments: str) -> str:
        return run(*preflight, *arguments, cwd=project, check=False).stdout

    # The lock: missing, and ignored.
    assert "git tracks no Cargo.lock: `cargo generate-lockfile --manifest-path" in told()
    assert "take 'Cargo.lock' out of .gitignore, line 3" in told()
    collect = (sys.executable, "release/tools/licenses.py")
    assert (
        "git tracks no Cargo.lock, which names the crates"
        in run(*collect, cwd=project, check=False).stdout
    )
    run("cargo", "generate-lockfile", cwd=project)
    ignored = project / ".gitignore"
    ignored.write_text(ignored.read_text().replace("Cargo.lock\n", ""))
    run("git", "add", "--all", cwd=project)
    run(*collect, cwd=project)

    # The floor, and a lock that serves it.
    assert "is locked for 3.11 and later, but requires-python begins at 3.9" in told()
    lock = project / "release" / "wheel-requirements.txt"
    # As the command at its top would write it; an index is not asked here.
    lock.write_text(lock.read_text("utf-8").replace("version 3.11", "version 3.9"), "utf-8")

    # The tag, and the other workflow.
    assert "the last tag is 1.4.0, but a release starts for tags like v1.2.3 alone" in told()
    pattern = project / "release" / "tag.txt"
    pattern.write_text(pattern.read_text().replace("\nv{version}", "\n{version}"))
    (trigger,) = re.findall(r"write `(tags: .*)`", told())
    release = project / ".github" / "workflows" / "release.yml"
    release.write_text(re.sub(r"tags: \[.*", lambda _: trigger, release.read_text("utf-8")))
    assert "wheels.yml, line 8, sends files to PyPI too ('twine upload')" in told()
    run("git", "rm", "--quiet", ".github/workflows/wheels.yml", cwd=project)

    # What wheels are built for, and what the sdist holds: the page says it for this layout.
    wheels = project / "release" / "wheels.txt"
    wheels.write_text("manylinux_2_17_x86_64 cp39 cp313 pp311\nwin32 cp39 cp313\n")
    assert 'write `manylinux-x86_64-image = "manylinux2014"`' in told()
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    images = [f'manylinux-{name}x86_64-image = "manylinux2014"\n' for name in ("", "pypy_")]
    table = "[tool.cibuildwheel.linux]\n"
    manifest.write_text(text.replace(table, table + "".join(images)), "utf-8")
    (sdist,) = PAGE.blocks("text")
    (root,) = re.findall(r"the last two lines are `(.*?)` and `(.*?)`", PAGE.text)
    kept = sdist.splitlines()[:-2]
    (project / "MANIFEST.in").write_text("\n".join([*kept, *root, ""]), "utf-8")
    setup = project / "setup.cfg"
    (licenses,) = PAGE.blocks("cfg")
    setup.write_text(re.sub(r"license_files = .*\n", licenses, setup.read_text("utf-8")), "utf-8")
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=The release half", cwd=project, **GIT)

    assert told() == told("--tag=1.4.0", "--branch=HEAD") == ""
    printed = run(sys.executable, "release/tools/plan.py", cwd=project).stdout
    plan = dict(line.split("=", 1) for line in printed.splitlines())
    assert [(job["name"], job["build"]) for job in json.loads(plan["build"])] == [
        (
            "manylinux_x86_64",
            " ".join(f"{abi}-manylinux_x86_64" for abi in ("cp39", "cp313", "pp311")),
        ),
        ("win32", "cp39-win32 cp313-win32"),
    ]
    dist = tmp_path / "dist"
    run("python", "-m", "build", "--sdist", "--no-isolation", f"--outdir={dist}", cwd=project)
    gate = ("python", "release/tools/gate.py", dist, "--rehearsal", "--tag=1.4.0")
    assert "1 file may be uploaded." in run(*gate, cwd=project).stdout

    # A README whose format is not stated.
    setup = project / "setup.py"
    text = setup.read_text("utf-8")
    (stated,) = re.findall(r" +long_description_content_type=.*\n", text)
    setup.write_text(text.replace(stated, ""), "utf-8")
    shutil.rmtree(dist)
    run("python", "-m", "build", "--sdist", "--no-isolation", f"--outdir={dist}", cwd=project)
    refused = run(*gate, cwd=project, check=False)
    assert refused.returncode == 1
    assert "`long_description_content_type` missing" in refused.stdout
    assert "write `long_description_content_type`" in PAGE.text


@pytest.mark.parametrize(
    ("license_value", "classifier", "refused"),
    [
        ('{ file = "LICENSE" }', "", "`project.license` must be string"),
        ('"MIT"', "License :: OSI Approved :: MIT License", "License classifiers have been"),
        ('"MIT"', "", ""),
    ],
)
def test_what_setuptools_asks_of_a_license_next_to_license_files(
    license_value: str, classifier: str, refused: str, run: Run, tmp_path: Path
) -> None:
    """The page names both edits; a project that needs none of them is built."""
    *_, license_files = PAGE.blocks("toml")
    (tmp_path / "LICENSE").write_text("MIT\n")
    (tmp_path / "THIRD-PARTY-LICENSES.txt").write_text("of the crates\n")
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "a"\nversion = "1"\nlicense = {license_value}\n{license_files}'
        f"classifiers = [{f'{classifier!r}' if classifier else ''}]\n"
    )
    build = ("python", "-m", "build", "--sdist", "--no-isolation", "--outdir=dist")
    result = run(*build, cwd=tmp_path, check=False)
    assert bool(result.returncode) == bool(refused), result.stdout
    assert refused in result.stdout
    if not refused:
        with tarfile.open(tmp_path / "dist" / "a-1.tar.gz") as sdist:
            assert "a-1/THIRD-PARTY-LICENSES.txt" in sdist.getnames()


def test_the_pages_setup_py_builds_abi3_and_the_wheel_of_one_python(
    run: Run, tmp_path: Path
) -> None:
    project = write_layout(tmp_path / "your-package", "setuptools-rust", run)
    adopt(project, "setuptools-rust", run)
    wheels = project / "release" / "wheels.txt"
    wheels.write_text("manylinux_x86_64 abi3 cp313\n")
    setup, _ = PAGE.blocks("python")
    (project / "setup.py").write_text(setup, "utf-8")
    settings = project / "setup.cfg"
    table = "[bdist_wheel]\npy_limited_api = cp311\n"
    text = settings.read_text("utf-8")
    assert table in text
    settings.write_text(text.replace(table, ""), "utf-8")
    printed = run(sys.executable, "release/tools/plan.py", cwd=project).stdout
    jobs = json.loads(re.findall(r"^build=(.*)", printed, re.MULTILINE)[0])
    assert [job["settings"] for job in jobs] == ["", "--build-option=--py-limited-api="]
    tags = []
    for number, job in enumerate(jobs):
        dist = tmp_path / str(number)
        options = [f"--config-setting={job['settings']}"] if job["settings"] else []
        shutil.rmtree(project / "build", ignore_errors=True)  # each job has a folder of its own
        build = ("python", "-m", "build", "--wheel", "--no-isolation", f"--outdir={dist}")
        run(*build, *options, cwd=project, **UNOPTIMISED, CARGO_TARGET_DIR=str(tmp_path / "target"))
        (wheel,) = dist.iterdir()
        with zipfile.ZipFile(wheel) as archive:
            (library,) = [name for name in archive.namelist() if "/_core." in name]
        tags.append((wheel.name.split("-", 2)[2].rsplit("-", 1)[0], library.split(".")[1]))
    here = f"cp3{sys.version_info.minor}"
    assert tags[0] == ("cp311-abi3", "abi3")
    assert tags[1][0] == f"{here}-{here}"
    assert tags[1][1].startswith("cpython-3")


def test_ruff_reads_the_programs_as_their_own_python(run: Run, tmp_path: Path) -> None:
    """It takes the oldest Python of the project otherwise, which may be older than theirs."""
    shutil.copytree(PROJECT_FOLDER / "release", tmp_path / "release")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\nrequires-python = ">=3.9"\n')
    run("ruff", "check", "release", cwd=tmp_path)


def edit_tests(project: Path) -> None:
    """Put the page's test settings into pyproject.toml."""
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    for line in PAGE.blocks("toml")[0].splitlines():
        text = set_value(text, line)
    manifest.write_text(text, "utf-8")


def test_the_pages_sessions_are_those_of_the_template() -> None:
    _, sessions = PAGE.blocks("python")
    noxfile = (PROJECT_FOLDER / "noxfile.py").read_text("utf-8")
    assert sessions in noxfile.replace("python=BUILDER, ", "")  # defined elsewhere in that file


def test_the_pages_copies_overwrite_nothing(run: Run, tmp_path: Path) -> None:
    project = write_layout(tmp_path / "your-package", "maturin", run)
    own = {".github/workflows/release.yml": "mine\n", "release/tools/gate.py": "mine\n"}
    for name, text in own.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    scratch = tmp_path / "scratch" / "your-package"
    shutil.copytree(PROJECT_FOLDER / "release", scratch / "release")
    shutil.copytree(PROJECT_FOLDER / ".github", scratch / ".github")
    copies = [line for line in PAGE.commands() if line.startswith("cp ")]
    assert len(copies) == 3
    for line in copies:
        run("sh", "-c", line, cwd=project, check=False, **GIT)
    assert {name: (project / name).read_text() for name in own} == own
    assert (project / "release" / "tools" / "plan.py").exists()
