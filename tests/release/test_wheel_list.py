"""release/wheels.txt is the one list of platforms: what CI and cibuildwheel make of it."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import cibuildwheel
import pytest

from helpers.fixture_types import Render, Run
from helpers.release_programs import platforms
from helpers.workflows import RUNNERS
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, PYTHONS, TEMPLATE, minor

LIST = (PROJECT_FOLDER / "release" / "wheels.txt").read_text("utf-8")
ALL_ABIS = ["abi3", "cp314t", "cp315t"]
MANIFEST = """\
[project]
requires-python = ">=3.12"
[build-system]
build-backend = "maturin"
[tool.maturin]
features = ["pyo3/abi3-py312"]
"""


def promised(column: int) -> dict[str, list[str]]:
    """The platforms that a column of the README's table promises, by cibuildwheel's system."""
    windows = {"64 bit": "win_amd64", "32 bit": "win32", "ARM64": "win_arm64"}
    readme = (TEMPLATE / "README.md").read_text("utf-8")
    table = readme[readme.index("| system | by default |") :].split("\n\n")[0]
    found: dict[str, list[str]] = {}
    for row in table.splitlines()[2:]:
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        family = {"macOS": "macosx"}.get(cells[0], cells[0])
        words = re.sub(r" \(.*?\)|:.*", "", cells[column]).split(", ")
        names = [
            windows[word] if family == "Windows" else f"{family}_{word}" for word in words if word
        ]
        system = {"macosx": "macos", "Windows": "windows"}.get(family, "linux")
        found.setdefault(system, []).extend(names)
    return found


DEFAULT = promised(1)
OPT_IN = promised(2)["linux"]
NOT_POSSIBLE = promised(3)["linux"]


def platform_list(
    text: str, folder: Path, run: Run, *arguments: str, manifest: str = ""
) -> dict[str, list[dict[str, Any]]]:
    """What plan.py prints for a list and a pyproject.toml: the matrices."""
    programs = folder / "release" / "tools"
    programs.mkdir(parents=True, exist_ok=True)
    (folder / "release" / "wheels.txt").write_text(text, "utf-8")
    for name in ("plan.py", "platforms.py", "project.py"):
        shutil.copy(PROJECT_FOLDER / "release" / "tools" / name, programs)
    (folder / "pyproject.toml").write_text(manifest or MANIFEST, "utf-8")
    printed = run(sys.executable, "release/tools/plan.py", *arguments, cwd=folder).stdout
    return {
        name: json.loads(matrix)
        for name, _, matrix in (line.partition("=") for line in printed.splitlines())
    }


def test_default_platforms_are_those_promised(run: Run, tmp_path: Path) -> None:
    matrices = platform_list(LIST, tmp_path, run)
    promised = [platform for platforms in DEFAULT.values() for platform in platforms]
    assert [job["platform"] for job in matrices["build"]] == promised
    assert not any(job["emulated"] for job in matrices["build"])


def test_opt_in_platforms_are_one_uncommented_line_away(run: Run, tmp_path: Path) -> None:
    uncommented = re.sub(r"^# (\w+ +abi3)$", r"\1", LIST, flags=re.MULTILINE)
    before = platform_list(LIST, tmp_path, run)["build"]
    after = platform_list(uncommented, tmp_path, run)["build"]
    added = [job for job in after if job not in before]
    assert [job["platform"] for job in added] == OPT_IN
    assert all(job["emulated"] for job in added)
    assert [job["build"] for job in added] == [f"cp3??-{platform}" for platform in OPT_IN]
    assert platform_list(uncommented, tmp_path, run, "--native")["build"] == before


@pytest.mark.parametrize(
    "platform", [platform for platforms in DEFAULT.values() for platform in platforms]
)
def test_deleted_line_drops_the_platform_everywhere(
    run: Run, tmp_path: Path, platform: str
) -> None:
    text = re.sub(rf"^{platform} .*\n", "", LIST, flags=re.MULTILINE)
    assert platform not in json.dumps(platform_list(text, tmp_path, run))


def test_every_python_that_picks_a_wheel_installs_it(run: Run, tmp_path: Path) -> None:
    jobs = platform_list(LIST, tmp_path, run)["install"]
    platforms = {job["platform"] for job in jobs}
    # Those with a runner of their own; the others are tested by cibuildwheel alone.
    assert platforms == {
        platform
        for platforms in DEFAULT.values()
        for platform in platforms
        if not platform.startswith("musl") and platform != "manylinux_i686"
    }
    for platform in platforms:
        pythons = [job["python"] for job in jobs if job["platform"] == platform]
        # setup-python fails to install free-threaded Pythons on Windows ARM64.
        free_threaded = [] if platform == "win_arm64" else ["3.14t", "3.15t"]
        assert pythons == ["3.12", *PYTHONS[-2:], *free_threaded]
    assert platform_list("win32 cp314t\n", tmp_path, run)["install"] == [
        {"platform": "win32", "runner": "windows-2025", "architecture": "x86", "python": "3.14t"}
    ]


def test_wheels_are_built_and_installed_where_their_programs_start(
    run: Run, tmp_path: Path
) -> None:
    """Elsewhere a wheel is cross-compiled without a test, or another one is installed."""
    matrices = platform_list(LIST, tmp_path, run)
    able = {(runner, platform) for runner in RUNNERS for platform in RUNNERS[runner]}
    assert {(job["runner"], job["platform"]) for job in matrices["build"]} == able
    for job in matrices["install"]:
        assert job["architecture"] == RUNNERS[job["runner"]][job["platform"]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("win_amd64 abi3\nwin_x86 abi3\n", "line 2: no platform 'win_x86'; there are manylinux_"),
        (
            "# a comment\n\nwin32 abi4\n",
            "line 3: 'abi4' are no ABIs for win32; name each of abi3, ",
        ),
        ("win32\n", "line 1: 'nothing' are no ABIs"),
        ("win32 abi3 abi3\n", "line 1: 'abi3 abi3' are no ABIs"),
        ("win32 abi3\nwin32 cp314t\n", "line 2: win32 is there twice"),
        ("musllinux_i686 abi3\n", "line 1: no platform 'musllinux_i686'"),
        ("win32 cp399\n", "line 1: 'cp399' are no ABIs for win32"),
        ("win32 cp313t\n", "line 1: 'cp313t' are no ABIs for win32"),
        ("win32 pp311\n", "line 1: 'pp311' are no ABIs for win32"),
        ("manylinux_x86_64 pp310\n", "line 1: 'pp310' are no ABIs for manylinux_x86_64"),
        ("manylinux_217_x86_64 abi3\n", "line 1: no platform 'manylinux_217_x86_64'"),
        ("win_2_17_amd64 abi3\n", "line 1: no platform 'win_2_17_amd64'"),
        (
            "manylinux_x86_64 abi3\nmanylinux_2_17_x86_64 cp313\n",
            "line 2: manylinux_x86_64 is there twice",
        ),
        ("win32 cp311\n", "line 1: cp311 is older than requires-python, which begins at 3.12"),
        ("# win32 abi3\n", "no platform is left"),
    ],
)
def test_wrong_line_is_refused_with_its_number(
    run: Run, tmp_path: Path, text: str, complaint: str
) -> None:
    platform_list(LIST, tmp_path, run)
    (tmp_path / "release" / "wheels.txt").write_text(text, "utf-8")
    result = run(sys.executable, "release/tools/plan.py", cwd=tmp_path, check=False)
    assert result.returncode != 0
    assert result.stdout.startswith(f"wheels.txt, {complaint}") or (
        result.stdout.startswith(f"wheels.txt: {complaint}")
    )
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize("system", DEFAULT)
@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_cibuildwheel_selects_what_is_promised(
    render: Render, run: Run, tmp_path: Path, backend: str, floor: str, system: str
) -> None:
    project = render(build_backend=backend, python_floor=floor)
    platforms = DEFAULT[system] + (OPT_IN if system == "linux" else [])
    text = "\n".join(f"{platform} {' '.join(ALL_ABIS)}" for platform in platforms)
    jobs = platform_list(text, tmp_path, run)["build"]
    identifiers = run(
        *(sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"),
        *(f"--platform={system}", f"--archs={','.join(dict.fromkeys(j['archs'] for j in jobs))}"),
        cwd=project,
        CIBW_BUILD=" ".join(job["build"] for job in jobs),
    ).stdout.split()
    minors = [minor(python) for python in PYTHONS if minor(python) >= minor(floor)]
    assert sorted(identifiers) == sorted(
        f"{python}-{platform}"
        for platform in platforms
        for python in [*(f"cp3{number}" for number in minors), "cp314t", "cp315t"]
    )


def test_without_a_selection_no_platform_is_built_that_has_no_rust(
    render: Render, run: Run
) -> None:
    """As where someone starts cibuildwheel without the selection of release/tools/plan.py."""
    for backend in BACKENDS:
        command = (sys.executable, "-m", "cibuildwheel", "--print-build-identifiers")
        arguments = ("--platform=linux", "--archs=all")
        printed = run(*command, *arguments, cwd=render(build_backend=backend)).stdout
        built = {identifier.partition("-")[2] for identifier in printed.split()}
        assert built >= {*DEFAULT["linux"], *OPT_IN}
        assert NOT_POSSIBLE
        assert not built & {*NOT_POSSIBLE}
        assert set(re.findall(r"^[a-z]+(?=\d)", printed, re.M)) == {"cp"}


def test_a_line_may_name_what_cibuildwheel_knows() -> None:
    """Except what it builds on request alone: Pythons that are no longer, or not yet, released."""
    resources = Path(cibuildwheel.__file__).parent / "resources" / "build-platforms.toml"
    identifiers = set(re.findall(r'identifier = "([^"]+)"', resources.read_text("utf-8")))
    named = {
        f"{abi}-{name}"
        for name, platform in platforms.PLATFORMS.items()
        for abi in platforms.ABIS[1:]
        if platform.pypy or not abi.startswith("pp")
    }
    assert named == {
        identifier
        for identifier in identifiers
        if identifier.partition("-")[2] in platforms.PLATFORMS
        and not re.match(rf"pp3(9|10)-|gp|cp3{platforms.CPYTHONS[-1] + 1}|cp313t", identifier)
    }


def test_the_newest_python_can_be_named() -> None:
    assert platforms.CPYTHONS[-1] == minor(PYTHONS[-1])


@pytest.mark.parametrize(
    ("backend", "features", "settings"),
    [
        ("maturin", '["pyo3/abi3-py312"]', "'build-args=--features pyo3/macros'"),
        ("maturin", '["abi3", "serde", "x/y"]', "'build-args=--features serde,x/y'"),
        ("setuptools.build_meta", "[]", "--build-option=--py-limited-api="),
    ],
)
def test_a_wheel_of_one_python_next_to_abi3_has_a_run_of_its_own(
    backend: str, features: str, settings: str, run: Run, tmp_path: Path
) -> None:
    """In one run, cibuildwheel would take the abi3 wheel for it."""
    manifest = MANIFEST.replace('"maturin"', f'"{backend}"')
    manifest = manifest.replace('["pyo3/abi3-py312"]', features)
    text = "manylinux_x86_64 abi3 cp313 cp314t pp311\nwin32 cp313\nwin_amd64 abi3\n"
    matrices = platform_list(text.replace("pp311", "pp312"), tmp_path, run, manifest=manifest)
    assert [(job["name"], job["build"], job["settings"]) for job in matrices["build"]] == [
        ("manylinux_x86_64", "cp3??-manylinux_x86_64 cp314t-manylinux_x86_64", ""),
        (
            "manylinux_x86_64-cp313-pp312",
            "cp313-manylinux_x86_64 pp312-manylinux_x86_64",
            settings,
        ),
        ("win32-cp313", "cp313-win32", settings),
        ("win_amd64", "cp3??-win_amd64", ""),
    ]
    pythons = [
        job["python"] for job in matrices["install"] if job["platform"] == "manylinux_x86_64"
    ]
    assert pythons == ["3.12", *PYTHONS[-2:], "3.13", "3.14t", "pypy3.12"]


def test_without_abi3_all_wheels_of_a_platform_are_one_run(run: Run, tmp_path: Path) -> None:
    text = "manylinux_aarch64 cp312 cp313 cp314t pp312\n"
    matrices = platform_list(text, tmp_path, run)
    (job,) = matrices["build"]
    assert (job["name"], job["settings"]) == ("manylinux_aarch64", "")
    words = ["cp312", "cp313", "cp314t", "pp312"]
    assert job["build"] == " ".join(f"{word}-manylinux_aarch64" for word in words)
    # setup-python has no PyPy for ARM64.
    assert [job["python"] for job in matrices["install"]] == ["3.12", "3.13", "3.14t"]
    assert [job["python"] for job in matrices["index"]] == ["3.12"]


def test_a_floor_below_that_of_the_template(run: Run, tmp_path: Path) -> None:
    manifest = MANIFEST.replace(">=3.12", ">=3.9")
    text = "manylinux_x86_64 abi3 cp310\n"
    matrices = platform_list(text, tmp_path, run, manifest=manifest)
    stable, alone = (job["build"] for job in matrices["build"])
    assert stable == "cp3?-manylinux_x86_64 cp3??-manylinux_x86_64"
    assert alone == "cp310-manylinux_x86_64"
    printed = run(
        *(sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", "--platform=linux"),
        "--archs=x86_64",
        cwd=tmp_path,
        CIBW_BUILD=stable,
    ).stdout.split()
    assert [word.partition("-")[0] for word in printed] == [
        f"cp3{number}" for number in platforms.CPYTHONS
    ]
    # Not 3.9 nor 3.10, which setup-python does not have everywhere.
    assert [job["python"] for job in matrices["install"]] == ["3.11", *PYTHONS[-2:]]


REFUSED = {
    "floor too old": (
        ">=3.8",
        "",
        "win32 abi3\n",
        f"cibuildwheel builds for 3.9 to 3.{platforms.CPYTHONS[-1]}",
    ),
    "no floor": ("<4", "", "win32 abi3\n", "requires-python has to begin with '>=3.'"),
    "feature in Cargo.toml": (
        ">=3.12",
        "[tool.maturin]\n",
        "win32 abi3 cp313\n",
        "the feature abi3-py3NN of pyo3 has to stand in `features` of [tool.maturin]",
    ),
}


@pytest.mark.parametrize(("requires", "tables", "text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_is_refused(
    requires: str, tables: str, text: str, reason: str, run: Run, tmp_path: Path
) -> None:
    platform_list(LIST, tmp_path, run)
    (tmp_path / "release" / "wheels.txt").write_text(text)
    manifest = MANIFEST[: MANIFEST.index("[tool")] if tables else MANIFEST
    (tmp_path / "pyproject.toml").write_text(manifest.replace(">=3.12", requires) + tables)
    result = run(sys.executable, "release/tools/plan.py", cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert reason in result.stdout


def test_a_floor_that_the_lock_does_not_serve(run: Run, tmp_path: Path) -> None:
    platform_list(LIST, tmp_path, run)
    lock = PROJECT_FOLDER / "release" / "wheel-requirements.txt"
    shutil.copy(lock, tmp_path / "release")
    (tmp_path / "pyproject.toml").write_text(MANIFEST.replace(">=3.12", ">=3.9"))
    result = run(sys.executable, "release/tools/plan.py", cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert "wheel-requirements.txt is locked for 3.11 and later" in result.stdout
    assert "with --python-version 3.9" in result.stdout
    text = lock.read_text("utf-8").replace("--python-version 3.11", "--python-version 3.9")
    (tmp_path / "release" / "wheel-requirements.txt").write_text(text)
    run(sys.executable, "release/tools/plan.py", cwd=tmp_path)


OLD, PYPY = 'manylinux-x86_64-image = "manylinux2014"', "manylinux-pypy_x86_64-image = "
IMAGES = {
    "the default": ("manylinux_x86_64 abi3", "", ""),
    "older than the default": ("manylinux_x86_64 abi3", OLD, ""),
    "as the line says": ("manylinux_2_17_x86_64 abi3", OLD, ""),
    "as the line says, in old words": ("manylinux2014_x86_64 abi3", OLD, ""),
    "for all systems": ("manylinux_2_17_x86_64 abi3", f"\n[tool.cibuildwheel]\n{OLD}", ""),
    "an address": ("manylinux_2_17_x86_64 abi3", OLD.replace('"many', '"host.example/many'), ""),
    "newer than the line": (
        "manylinux_2_17_x86_64 abi3",
        "",
        'write `manylinux-x86_64-image = "manylinux2014"` into [tool.cibuildwheel.linux], or '
        "manylinux_2_28_x86_64 into the line",
    ),
    "newer than the default": (
        "manylinux_x86_64 abi3",
        OLD.replace("2014", "_2_34"),
        "may ask for 2.28, but cibuildwheel builds them in manylinux_2_34",
    ),
    "newer, and so is the line": (
        "manylinux_2_34_x86_64 abi3",
        OLD.replace("2014", "_2_34"),
        "",
    ),
    "not that of PyPy": ("manylinux_2_17_x86_64 cp312 pp312", OLD, f"write `{PYPY}"),
    "PyPy's too": (
        "manylinux_2_17_x86_64 cp312 pp312",
        f'{OLD}\n{PYPY}"manylinux2014"',
        "",
    ),
    "musl": (
        "musllinux_1_1_aarch64 abi3",
        "",
        'write `musllinux-aarch64-image = "musllinux_1_1"`',
    ),
}


@pytest.mark.parametrize(("line", "setting", "complaint"), IMAGES.values(), ids=IMAGES)
def test_the_image_has_the_glibc_of_the_line(
    line: str, setting: str, complaint: str, run: Run, tmp_path: Path
) -> None:
    platform_list(LIST, tmp_path, run)
    (tmp_path / "release" / "wheels.txt").write_text(f"{line}\n")
    table = setting if "[" in setting else f"[tool.cibuildwheel.linux]\n{setting}"
    (tmp_path / "pyproject.toml").write_text(f"{MANIFEST}{table}\n")
    result = run(sys.executable, "release/tools/plan.py", cwd=tmp_path, check=not complaint)
    assert complaint in result.stdout
    assert bool(complaint) == result.stdout.startswith("wheels.txt, line 1: the wheels of ")
