"""Daily life in a rendered project: quick rebuilds, editable installs, `uv run`, the editor."""

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD, QUICK, UNOPTIMISED
from helpers.fixture_types import Render, Run
from helpers.pages import read
from helpers.pairs import one_of
from tools.machine import oldest_python, python_of, pythons
from tools.template import BACKENDS, TEMPLATE, tracked

pytestmark = pytest.mark.builds


@pytest.fixture(params=BACKENDS)
def project(
    request: pytest.FixtureRequest,
    render: Render,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
) -> Path:
    """A rendering, which builds over a target folder of these tests."""
    monkeypatch.setitem(
        environment, "CARGO_TARGET_DIR", str(BUILD / f"target-development-{oldest_python()}")
    )
    for name, value in UNOPTIMISED.items():
        monkeypatch.setitem(environment, name, value)
    return render(build_backend=request.param)


@pytest.fixture(scope="module")
def python(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("development") / "environment"
    run("uv", "venv", f"--python={pythons()[oldest_python()]}", environment, cwd=TEMPLATE)
    python = python_of(environment)
    run("uv", "pip", "install", f"--python={python}", "pip", "build", cwd=TEMPLATE)
    return python


def test_isolated_rebuild_compiles_nothing(project: Path, python: Path, run: Run) -> None:
    # The isolated environments have new paths each time: PyO3 must not depend on them.
    (project / "rust" / "lib.rs").touch()
    uv = ["uv", "build", "--wheel", f"--python={python}", "--out-dir=out"]
    assert "Compiling _fast_doubles_native" in run(*uv, cwd=project).stdout
    pip = [python, "-m", "pip", "wheel", "--verbose", "--no-deps", "--wheel-dir=out", "."]
    build = [python, "-m", "build", "--wheel", "--outdir=out"]
    for command in (uv, pip, build):
        printed = run(*command, cwd=project).stdout
        assert "Compiling" not in printed
        assert "Finished `release` profile" in printed


def test_editable_install_is_a_release_build(project: Path, python: Path, run: Run) -> None:
    run(python, "-m", "pip", "install", "--no-deps", "--editable", ".", cwd=project)
    question = "from fast_doubles import _native; print(_native.__file__, _native.DEBUG)"
    file, debug = run(python, "-c", question, cwd=project.parent).stdout.split()
    assert Path(file).parent == project / "python" / "fast_doubles"
    assert debug == "False"


def test_uv_run_tests_the_sources_as_they_are(project: Path, run: Run) -> None:
    uv_run = ("uv", "run", f"--python={pythons()[oldest_python()]}")
    assert " passed" in run(*uv_run, "pytest", cwd=project).stdout

    kernel = project / "rust" / "kernel.rs"
    kernel.write_text(kernel.read_text("utf-8").replace("u8::from(a == b)", "u8::from(a != b)"))
    question = "import fast_doubles; print(fast_doubles.count_doubles('ab'))"
    assert run(*uv_run, "python", "-c", question, cwd=project).stdout.splitlines()[-1] == "1"


def test_rendering_inside_a_workspace_is_not_drawn_into_it(project: Path, run: Run) -> None:
    (project.parent / "Cargo.toml").write_text('[workspace]\nmembers = ["*"]\n', "utf-8")
    found = run("cargo", "locate-project", "--workspace", "--message-format=plain", cwd=project)
    assert Path(found.stdout.strip()) == project / "Cargo.toml"


def test_leftovers_of_earlier_builds_stay_out_of_the_wheel(
    project: Path, python: Path, run: Run
) -> None:
    libraries = f"lib.{sysconfig.get_platform()}-cpython-{oldest_python().replace('.', '')}"
    leftover = project / "build" / libraries / "fast_doubles" / "leftover.py"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("")
    run("uv", "build", "--wheel", f"--python={python}", "--out-dir=out", cwd=project)
    (wheel,) = (project / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "fast_doubles/leftover.py" not in archive.namelist()


# What follows changes the kernel, so that it answers 1 in place of 0, and looks who answers.
ASK = "import fast_doubles; print(fast_doubles.count_doubles('ab'))"
PYTHON = f"--python={pythons()[oldest_python()]}"
UV_RUN = ("uv", "run", "--no-default-groups", PYTHON)


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs once."""
    text = file.read_text("utf-8")
    assert text.count(old) == 1, (file.name, old, text.count(old))
    file.write_text(text.replace(old, new), "utf-8")


def change_the_kernel(project: Path) -> None:
    edit(project / "rust" / "kernel.rs", "u8::from(a == b)", "u8::from(a != b)")


def libraries(project: Path) -> list[Path]:
    """The compiled libraries next to the Python files."""
    folder = project / "python" / "fast_doubles"
    return [file for file in folder.iterdir() if file.suffix in (".so", ".pyd")]


def environment_of(project: Path, run: Run) -> Path:
    """Make the project's own `.venv`, with pip; return its interpreter."""
    run("uv", "venv", "--seed", PYTHON, ".venv", cwd=project)
    return python_of(project / ".venv")


def of_the_environment(command: str, python: Path) -> list[str | Path]:
    """A command of a page or a message, for an environment; uv need not install ruff and mypy."""
    words = shlex.split(command)
    return [python, "-m", *words] if words[0] == "pip" else [*words, "--no-default-groups"]


# Two libraries of one module


@pytest.mark.parametrize(("tool", "backend"), list(zip(["pip", "uv"], BACKENDS, strict=True)))
def test_switching_the_backend_leaves_no_old_library(
    backend: str, tool: str, repository: Callable[..., Path], render: Render, run: Run
) -> None:
    """From this backend to the other one."""
    project = repository(build_backend=backend)
    python = environment_of(project, run)
    clean, install = read("how-to/update.md").commands()[-2:]

    def answer() -> str:
        if tool == "uv":
            return run(*UV_RUN, "python", "-c", ASK, cwd=project, **QUICK).stdout.split()[-1]
        run(*of_the_environment(install, python), cwd=project, **QUICK)
        return run(python, "-c", ASK, cwd=project).stdout.strip()

    assert answer() == "0"
    # What the page's edits lead to; test_updating.py does them one by one.
    (other,) = {*BACKENDS} - {backend}
    twin = render(build_backend=other)
    for file in tracked(project):
        file.unlink()
    shutil.copytree(twin, project, ignore=shutil.ignore_patterns(".git"), dirs_exist_ok=True)
    change_the_kernel(project)
    assert len(libraries(project)) == 1
    run(*shlex.split(clean), cwd=project)
    assert libraries(project) == []
    assert answer() == "1"
    assert len(libraries(project)) == 1


@pytest.mark.parametrize("backend", one_of(BACKENDS))
def test_second_library_is_named_with_what_to_type(
    backend: str, repository: Callable[..., Path], run: Run
) -> None:
    """Under each name that this Python imports: in the sources, and where a wheel is installed."""
    project = repository(build_backend=backend)
    python = environment_of(project, run)
    install = ("uv", "pip", "install", f"--python={python}")
    run(*install, "--editable=.", "pytest", cwd=project, **QUICK)
    question = "import importlib.machinery; print(*importlib.machinery.EXTENSION_SUFFIXES)"
    suffixes = run(python, "-c", question, cwd=project).stdout.split()

    def own_test() -> str:
        test = (python, "-m", "pytest", "tests/test_packaging.py")
        return run(*test, cwd=project, check=False).stdout

    def others(library: Path) -> list[Path]:
        names = [library.with_name(f"_native{suffix}") for suffix in suffixes]
        return [file for file in names if file != library]

    def each_other_is_named(library: Path) -> None:
        assert " failed" not in own_test()
        for other in others(library):
            shutil.copy(library, other)
            printed = own_test()
            other.unlink()
            assert "1 failed" in printed
            (message,) = re.findall(r"^E .*Python loads the first of .*", printed, re.M)
            assert str(library) in message
            assert str(other) in message

    (built,) = libraries(project)
    each_other_is_named(built)
    shutil.copy(built, others(built)[0])
    clean, *ways = re.findall("`(.*?)`", re.findall(r"^E .*`git clean.*", own_test(), re.M)[0])
    assert len(ways) == 2
    for way in ways:
        run(*shlex.split(clean), cwd=project)
        assert libraries(project) == []
        run(*of_the_environment(way, python), cwd=project, **QUICK)
        assert libraries(project) == [built]
        assert run(python, "-c", ASK, cwd=project).stdout == "0\n"

    # Those of other Pythons do no harm: each loads its own.
    built.with_name("_native.cpython-310-x86_64-linux-gnu.so").touch()
    built.with_name("_native.cp310-win_amd64.pyd").touch()
    run(*install, "--reinstall-package=fast-doubles", ".", cwd=project, **QUICK)
    question = "from fast_doubles import _native; print(_native.__file__)"
    installed = Path(run(python, "-c", question, cwd=project).stdout.strip())
    assert installed.parent != built.parent
    each_other_is_named(built)
    each_other_is_named(installed)


# When `uv run` builds


def uv_run(project: Path, run: Run) -> tuple[bool, str]:
    """Whether `uv run` has built, and what the library says of itself."""
    ask = "from fast_doubles import _native; print(_native.DEBUG)"
    printed = run(*UV_RUN, "python", "-c", ask, cwd=project, **QUICK).stdout
    return "Built fast-doubles" in printed, printed.split()[-1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_uv_run_builds_again_after_git_clean_and_not_for_nothing(
    backend: str, repository: Callable[..., Path], run: Run
) -> None:
    project = repository(build_backend=backend)
    assert uv_run(project, run) == (True, "False")
    assert uv_run(project, run) == (False, "False")
    run("git", "clean", "-xdf", cwd=project)
    assert libraries(project) == []
    assert uv_run(project, run) == (True, "False")
    for unrelated in ("target/release/output", "python/fast_doubles/more.py", "tests/test_more.py"):
        (project / unrelated).parent.mkdir(parents=True, exist_ok=True)
        (project / unrelated).touch()
    assert uv_run(project, run) == (False, "False")


# The file, what stands in it, and what the library makes of that.
READ_BY_CARGO = {
    "rust/words.txt": ("{}", 'include_str!("words.txt")'),
    "rust/tables/odd/words": ("{}", 'include_str!("tables/odd/words")'),
    "build.rs": ('fn main() {{ println!("cargo::rustc-env=WORD={}"); }}', 'env!("WORD")'),
    ".cargo/config.toml": ('[env]\nWORD = "{}"', 'env!("WORD")'),
    "rust-toolchain.toml": ("[toolchain]\npath = '{sysroot}' # {}", None),
    "rust-toolchain": ("[toolchain]\npath = '{sysroot}' # {}", None),
}


@pytest.mark.parametrize("name", READ_BY_CARGO)
def test_uv_run_sees_every_file_that_cargo_reads(name: str, render: Render, run: Run) -> None:
    content, source = READ_BY_CARGO[name]
    project = render()
    if source is not None:
        constant = "const DEBUG: bool = cfg!(debug_assertions);"
        edit(project / "rust" / "python.rs", constant, f"const DEBUG: &str = {source};")
    sysroot = run("rustc", "--print=sysroot", cwd=project).stdout.strip()
    for word in ("old", "new"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content.format(word, sysroot=sysroot), "utf-8")
        said = word if source is not None else "False"
        assert uv_run(project, run) == (True, said)
        assert uv_run(project, run) == (False, said)


# Notebooks


@pytest.mark.parametrize(("way", "backend"), list(enumerate(BACKENDS)), ids=["uv", "pip"])
def test_contributing_says_how_a_notebook_gets_the_new_code(
    backend: str, way: int, render: Render, run: Run, environment: dict[str, str]
) -> None:
    project = render(build_backend=backend)
    page = (project / "CONTRIBUTING.md").read_text("utf-8")
    (row,) = re.findall(r"^\| use it in a notebook \| (.*) \|$", page, re.M)
    python = environment_of(project, run)
    build = of_the_environment(re.findall("`(.*?)`", row)[way], python)
    run(*build, cwd=project, **QUICK)

    loop = f"import sys\nfor line in sys.stdin: {ASK}; sys.stdout.flush()"
    with subprocess.Popen(
        [python, "-c", loop],
        cwd=project,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as kernel:

        def ask_the_kernel() -> str:
            assert kernel.stdin is not None
            assert kernel.stdout is not None
            kernel.stdin.write("\n")
            return kernel.stdout.readline()

        assert ask_the_kernel() == "0\n"
        change_the_kernel(project)
        assert run(python, "-c", ASK, cwd=project).stdout == "0\n"  # restarted, without a build
        if sys.platform != "win32":  # which lets nobody replace a library that is loaded
            run(*build, cwd=project, **QUICK)
            assert ask_the_kernel() == "0\n"
    run(*build, cwd=project, **QUICK)
    assert run(python, "-c", ASK, cwd=project).stdout == "1\n"


# The editor


def test_editor_and_nox_compile_pyo3_once_each(
    render: Render,
    run: Run,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    project = render()
    monkeypatch.delitem(environment, "PYO3_PYTHON", raising=False)
    # As rust-analyzer checks.
    editor = ("cargo", "check", "--workspace", "--message-format=json", "--all-targets")
    nox = ("nox", "--session", "rust")
    for time in ("first", "second"):
        for command, end in (editor, '"success":true'), (nox, "rust was successful"):
            (project / "rust" / "lib.rs").touch()
            printed = run(*command, cwd=project, CARGO_TARGET_DIR=str(tmp_path / "target")).stdout
            assert end in printed
            assert "Checking _fast_doubles_native" in printed
            assert bool(re.search("(Compiling|Checking) pyo3", printed)) == (time == "first")
