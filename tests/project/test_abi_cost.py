"""`nox -s abi-cost`: two wheels of one source, measured in turn, and what is said of them."""

import re
import runpy
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import markupsafe
import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Render, Repository, Run
from helpers.pages import edit, read
from helpers.rendering import files
from tools.template import BACKENDS, PROJECT_FOLDER

# A noxfile that is read again registers its sessions again.
pytestmark = pytest.mark.filterwarnings("ignore:The session .* already been registered")

PROGRAM = PROJECT_FOLDER / "tests" / "abi_cost.py"
# Each process that measures says which library it has.
WITNESS = """
import os

from fast_doubles import _native

with open(os.environ["WITNESS"], "a") as file:
    print(_native.__file__, file=file)
"""


@pytest.mark.builds
@pytest.mark.parametrize("backend", BACKENDS)
def test_both_wheels_are_built_and_measured_in_turn(
    backend: str, repository: Repository, run: Run, tmp_path: Path
) -> None:
    project = repository(build_backend=backend)
    bench = project / "tests" / "bench_fast_doubles.py"
    (block,) = read("explanation/stable-abi.md").blocks("python")
    # Texts of a million characters take long to make.
    short = bench.read_text("utf-8").replace("k=1_000_000", "k=100")
    bench.write_text(f"{short}\n\n{block}{WITNESS}", "utf-8")
    run("git", "commit", "--all", "--quiet", "--message=Calls", cwd=project)
    witness = tmp_path / "witness.txt"
    few = ("--rounds=2", "--benchmark-min-rounds=1", "--benchmark-max-time=0")
    printed = run(
        *("nox", "--session", "abi-cost", "--", *few), cwd=project, WITNESS=str(witness), **QUICK
    ).stdout

    here = f"cp3{sys.version_info.minor}"
    places = project / ".nox" / "abi-cost" / "tmp"
    libraries = {}
    for wheel in places.glob("dist*/*.whl"):
        python, abi = wheel.name.split("-")[2:4]
        assert (python, abi) in [("cp311", "abi3"), (here, here)]
        with zipfile.ZipFile(wheel) as archive:
            (name,) = re.findall(r"^\S+\.(?:so|pyd)$", "\n".join(archive.namelist()), re.M)
        libraries[abi] = str(places / abi / name)
    loaded = witness.read_text("utf-8").split()
    in_turn = ["abi3", here, here, "abi3"]
    assert loaded == [libraries[folder] for folder in in_turn]

    time, ratio = r"[\d.]+ [mun]?s", r"\d+\.\d{3}"
    rows = re.findall(rf"^(Test\S+) +{time} +{time} +{ratio} +{ratio} to {ratio}$", printed, re.M)
    assert rows == [
        "TestCountDoubles::test_rust[ASCII]",
        "TestCountDoubles::test_rust[Cyrillic]",
        "TestCalls::test_rust",
        "TestCountDoubles::test_python[ASCII]",
        "TestCountDoubles::test_python[Cyrillic]",
        "TestCalls::test_python",
    ]
    assert re.search(rf"^Noise: from {ratio} to {ratio}, ", printed, re.M)
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""


# What the session asks of the two builds, without building


class Stopped(Exception):
    """The session ended, with an error."""


class Session:
    """The part of nox's session that is asked before a build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create_tmp(self) -> str:
        return str(self.folder)

    def error(self, text: str) -> NoReturn:
        raise Stopped(text)


# The second wheel for the names of both wheels, and the text that its Cargo.toml is to have.
SecondWheel = Callable[..., dict[str, Any]]


@pytest.fixture
def second_wheel(render: Render, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SecondWheel:
    """Ask a rendering's noxfile for the second wheel; a stand-in builds it.

    Returns the manifests that the build has got, as dicts, by their name.
    """

    def second_wheel(first: str, second: str = "", cargo: str = "") -> dict[str, Any]:
        project = render()
        monkeypatch.chdir(project)
        if cargo:
            (project / "Cargo.toml").write_text(cargo, "utf-8")
        before = files(project)
        shutil.make_archive(str(tmp_path / "sdist"), "gztar", project.parent, project.name)
        function = runpy.run_path("noxfile.py")["version_specific_wheel"]
        got = {}

        def build(session: Session, *arguments: str) -> None:
            kind, out, copy = arguments
            assert kind == "--wheel"
            folder = Path(out.removeprefix("--outdir="))
            folder.mkdir()
            (folder / second).touch()
            for name in ("pyproject.toml", "Cargo.toml"):
                got[name] = tomllib.loads(Path(copy, name).read_text("utf-8"))

        built = [Path(first), tmp_path / "sdist.tar.gz"]
        monkeypatch.setitem(function.__globals__, "BUILT", built if second else built[:1])
        monkeypatch.setitem(function.__globals__, "build", build)
        assert function(Session(tmp_path)).name == second
        assert files(project) == before
        return got

    return second_wheel


ABI3 = "fast_doubles-0.1.0-cp311-abi3-linux_x86_64.whl"
SPECIFIC = "fast_doubles-0.1.0-cp311-cp311-linux_x86_64.whl"


@pytest.mark.parametrize("wheel", [SPECIFIC, SPECIFIC.replace("cp311-linux", "cp311t-linux")])
def test_project_without_the_stable_abi_is_told_so(second_wheel: SecondWheel, wheel: str) -> None:
    expected = "does not use the stable ABI.* abi3-py3NN .*`py_limited_api`.* free-threaded"
    with pytest.raises(Stopped, match=expected):
        second_wheel(wheel, SPECIFIC)


def test_second_wheel_takes_git(second_wheel: SecondWheel) -> None:
    with pytest.raises(Stopped, match="`git add --all`"):
        second_wheel(ABI3)


def test_second_wheel_that_is_abi3_all_the_same_is_refused(second_wheel: SecondWheel) -> None:
    with pytest.raises(Stopped, match="cp311-abi3-linux.* what else asks for the stable ABI"):
        second_wheel(ABI3, ABI3)


CARGO = """
[features]
default = ["python", "stable", "abi3"]
stable = ["pyo3?/abi3-py311"]
abi3 = ["pyo3/abi3", "pyo3/macros"]
"abi3t" = []

[package]
keywords = ["abi3", "abi3-tools", "tools-for-abi3-wheels"]

[dependencies.pyo3]
features = [
    "macros",
    'abi3-py311',
    'abi3t-py315'
]
"""


def test_second_wheel_lacks_every_feature_that_asks_for_the_stable_abi(
    second_wheel: SecondWheel,
) -> None:
    manifests = second_wheel(ABI3, SPECIFIC, CARGO)
    assert manifests["pyproject.toml"]["tool"]["maturin"]["features"] == []
    assert manifests["Cargo.toml"] == {
        "features": {
            "default": ["python", "stable"],
            "stable": [],
            "abi3": ["pyo3/macros"],
            "abi3t": [],
        },
        "package": {"keywords": ["abi3-tools", "tools-for-abi3-wheels"]},
        "dependencies": {"pyo3": {"features": ["macros"]}},
    }


# The program that measures, over copies of a library that has functions in C and in Python

BENCH = """
import pytest
from markupsafe import _native, _speedups


def test_rust(benchmark):
    benchmark(_speedups._escape_inner, "<")


def test_python(benchmark):
    benchmark(_native._escape_inner, "<")
"""


class Program:
    """Runs the program, with a benchmark of these tests."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder = folder
        self.run = run
        self.bench = folder / "tests" / "bench.py"
        self.bench.parent.mkdir()
        self.bench.write_text(BENCH, "utf-8")
        shutil.copy(PROGRAM, self.bench.parent)
        # In the working folder too, as where a project has its sources at the top.
        for name in ("abi3", "cp311", "."):
            shutil.copytree(Path(markupsafe.__file__).parent, folder / name / "markupsafe")

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        """Return what it printed."""
        command = (sys.executable, "tests/abi_cost.py", "abi3", "cp311", "tests/bench.py")
        few = ("--rounds=2", "--benchmark-min-rounds=1", "--benchmark-max-time=0")
        # pytest starts in half the time without the plugins of the other tests.
        alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        plugin = "-ppytest_benchmark.plugin"
        result = self.run(*command, plugin, *few, *arguments, cwd=self.folder, check=False, **alone)
        assert (result.returncode != 0) == fails, result.stdout
        assert "Traceback" not in result.stdout
        return result.stdout

    def edit(self, old: str, new: str) -> None:
        """Change the benchmark."""
        edit(self.bench, old, new)


@pytest.fixture
def program(tmp_path: Path, run: Run) -> Program:
    return Program(tmp_path, run)


def test_benchmarks_are_paired_by_name_alone(program: Program) -> None:
    program.edit("def test_rust(", "@pytest.mark.parametrize('_', ['test_python'])\ndef test_rust(")
    program.edit("(benchmark):\n    benchmark(_speed", "(benchmark, _):\n    benchmark(_speed")
    printed = program()
    assert re.findall(r"^(test_\S+) .* to ", printed, re.M) == [
        "test_rust[test_python]",
        "test_python",
    ]


def test_options_of_pytest_are_passed_on(program: Program) -> None:
    printed = program("-k", "python", fails=True)
    assert "The benchmarks are test_python." in printed


@pytest.mark.parametrize("missing", ["test_rust", "test_python"])
def test_both_kinds_of_benchmarks_are_needed(program: Program, missing: str) -> None:
    other = {"test_rust": "test_python", "test_python": "test_rust_too"}[missing]
    program.edit(f"def {missing}(", f"def {other}(")
    assert "has to be called test_rust, and one test_python: without" in program(fails=True)


def test_words_of_a_benchmark_that_fails_are_passed_on(program: Program) -> None:
    program.edit(
        'benchmark(_native._escape_inner, "<")', 'raise ValueError("a fault of the owner")'
    )
    printed = program(fails=True)
    assert "ValueError: a fault of the owner" in printed
    assert "The benchmarks fail with abi3: pytest says why, above." in printed


def test_file_without_benchmarks_is_named(program: Program) -> None:
    program.bench.write_text("", "utf-8")
    printed = program(fails=True)
    assert "no tests ran" in printed
    assert "The benchmarks fail with abi3" in printed


def test_library_of_another_folder_is_not_measured(program: Program) -> None:
    """As where pytest's `pythonpath` names the sources, next to which an editable install lies."""
    shutil.copytree(program.folder / "abi3", program.folder / "python")
    (program.folder / "pytest.ini").write_text("[pytest]\npythonpath = python\n", "utf-8")
    printed = program(fails=True)
    assert f"{program.folder / 'python' / 'markupsafe' / '_speedups'}" in printed
    assert f"none of them from {program.folder / 'abi3'}: does pytest's `pythonpath`" in printed


@pytest.mark.parametrize("rounds", ["1", "0", "-1", "many"])
def test_rounds_are_two_or_more(program: Program, rounds: str) -> None:
    printed = program(f"--rounds={rounds}", fails=True)
    assert re.search(rf"^abi_cost.py: error: .*--rounds.*{rounds}", printed, re.M)


# What is said of the times

EVEN = [1.0, 1.01, 0.99, 1.0]


@pytest.mark.parametrize(
    ("rust", "python", "said"),
    [
        ([1.2, 1.22, 1.19, 1.2], EVEN, "test_rust is 20.0% slower with the stable ABI"),
        ([0.8, 0.81, 0.79, 0.8], EVEN, "test_rust is 20.0% faster with the stable ABI"),
        ([1.01, 1.01, 1.0, 1.0], EVEN, "No benchmark of Rust differs by more than that."),
        # Noise that is as large as the difference, and a difference in half of the rounds
        ([1.2, 1.22, 1.19, 1.2], [1.0, 0.9, 1.3, 1.3], "No benchmark of Rust differs"),
        ([1.2, 1.2, 1.0, 1.0], EVEN, "No benchmark of Rust differs"),
        # Python is as slow as Rust each time: the machine, not the ABI
        ([1.2, 1.22, 1.19, 1.2], [1.2, 1.2, 1.19, 1.2], "No benchmark of Rust differs"),
    ],
)
def test_difference_is_named_where_it_exceeds_the_noise(
    rust: list[float], python: list[float], said: str
) -> None:
    report = runpy.run_path(str(PROGRAM))["report"]
    specific = {"test_python[a]": [2e-3] * 4, "test_rust": [3e-8] * 4}
    stable = {
        "test_python[a]": [2e-3 * ratio for ratio in python],
        "test_rust": [3e-8 * ratio for ratio in rust],
    }
    lines = report(stable, specific).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["test_rust", "test_python[a]"]
    assert [line.split()[3:5] for line in lines[1:3]] == [["30", "ns"], ["2", "ms"]]
    assert lines[3].startswith("Noise: from ")
    assert lines[4].startswith(said)
    assert len(lines) == 5
