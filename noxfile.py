"""The template's tasks: `nox -s demo` and `nox -s test`; `nox -l` lists them all."""

import argparse
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["test"]

ROOT = Path(__file__).parent
QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
BACKENDS, FLOORS = QUESTIONS["build_backend"], QUESTIONS["python_floor"]
OLDEST_RUST = (1, 85)


@nox.session
def test(session: nox.Session) -> None:
    """Run the whole test suite; arguments go to pytest."""
    set_up(session)
    # The tests of one file share what they build, so they stay on one worker. In their own order:
    # else the files with the fewest tests, whose tests take longest, would come last.
    # One worker more than processors, since each waits now and then for the network and the disk.
    workers = f"--numprocesses={(os.cpu_count() or 1) + 1}"
    options = (workers, "--dist=loadfile", "--no-loadscope-reorder", "--durations=25")
    session.run("pytest", *options, *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """Run the tests that compile nothing, in a minute or so: on every save."""
    set_up(session)
    options = ("--numprocesses=auto", "--dist=loadfile", "-m", "not builds")
    session.run("pytest", *options, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the template's own Python code: ruff, and mypy in its strict mode."""
    session.install("--require-hashes", "--requirement=requirements.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session
def demo(session: nox.Session) -> None:
    """Render, build, install, test and measure a project in build/demo/."""
    parser = argparse.ArgumentParser("nox -s demo --")
    parser.add_argument("--backend", choices=BACKENDS, default=BACKENDS[0])
    parser.add_argument("--floor", choices=FLOORS, default=FLOORS[0])
    options = parser.parse_args(session.posargs)

    set_up(session)
    folder = ROOT / "build" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    answers = f"build_backend={options.backend}", f"python_floor={options.floor}"
    session.run("cookiecutter", str(ROOT), "--no-input", f"--output-dir={folder}", *answers)

    project = folder / "fast-doubles"
    with session.chdir(project):
        session.run("nox", "--sessions", "lint", "rust", "tests")

    environment = folder / "environment"
    session.run(
        "uv", "venv", f"--python=>={options.floor}", "--no-python-downloads", str(environment)
    )
    python = next(environment.glob("bin/python"), environment / "Scripts" / "python.exe")
    session.run("uv", "build", "--wheel", f"--python={python}", f"--out-dir={folder}", str(project))
    wheel = next(folder.glob("*.whl"))
    session.run("uv", "pip", "install", f"--python={python}", str(wheel))
    counter = str(ROOT / "benchmarks" / "real_text.py")
    session.run(str(python), counter, str(wheel), str(project / "tests"), external=True)


@nox.session
def wheels(session: nox.Session) -> None:
    """Run the real cibuildwheel on a rendered project, for the architectures that are named.

    For x86_64 it builds for free-threaded Pythons too.
    `nox -s wheels -- x86_64 i686 --real-images` takes cibuildwheel's own images, from a registry.
    """
    set_up(session)
    options = [word if word.startswith("-") else f"--arch={word}" for word in session.posargs]
    command = ("pytest", "--verbose", "--need-images", "--free-threaded")
    session.run(*command, "tests/release/test_cibuildwheel.py", *options)


@nox.session
def cross(session: nox.Session) -> None:
    """Cross-compile wheels for Windows, macOS and musl; look into them; run those for x86.

    musllinux wheels run on CPythons for musl, Windows' ones under wine, 64 and 32 bit; macOS' are
    not run.
    """
    set_up(session)
    files = [f"tests/on_demand/test_{name}.py" for name in ("cross", "musl", "windows")]
    session.run("pytest", "--verbose", *files, *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """Install and test wheels on the two newest CPythons, and the sdist on PyPy, in containers."""
    set_up(session)
    files = [f"tests/on_demand/test_{name}.py" for name in ("newest_pythons", "pypy")]
    session.run("pytest", "--verbose", *files, *session.posargs)


@nox.session(name="free-threaded")
def free_threaded(session: nox.Session) -> None:
    """Build, install and test wheels on free-threaded CPythons; attack them from eight threads."""
    set_up(session)
    session.run("pytest", "--verbose", "tests/on_demand/test_free_threaded.py", *session.posargs)


@nox.session
def adopt(session: nox.Session) -> None:
    """Do what docs/how-to says on adopting, with crates from crates.io and with other layouts."""
    set_up(session)
    session.run("pytest", "--verbose", "tests/on_demand/test_adopting_crates.py", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Compare the kernel with others; write docs/benchmarks.md, its charts, from-c-interfaces.md.

    `nox -s benchmarks -- --check` writes nothing, and fails where a goal is missed.
    """
    if session.posargs not in ([], ["--check"]):
        session.error(f"nox -s benchmarks takes --check or nothing, not {session.posargs}")
    require_c(session)
    set_up(session)
    session.install("--require-hashes", "--requirement=benchmarks/requirements.txt")

    sources = ROOT / "benchmarks" / "opponents"
    folder = ROOT / "build" / "benchmarks"
    wheels, modules = folder / "wheels", folder / "modules"
    for part in (wheels, modules, folder / "criterion"):
        shutil.rmtree(part, ignore_errors=True)
    modules.mkdir(parents=True)
    session.env["CARGO_TARGET_DIR"] = str(folder / "target")
    session.env["CRITERION_HOME"] = str(folder / "criterion")
    session.env["PYO3_BUILD_EXTENSION_MODULE"] = "1"

    project = render(session, folder)
    session.run("uv", "build", "--wheel", f"--out-dir={wheels}", str(project))
    crate = f"--manifest-path={sources / 'Cargo.toml'}"
    session.run("maturin", "build", "--release", "--locked", crate, f"--out={wheels}")
    session.install("--force-reinstall", "--no-deps", *map(str, wheels.glob("*.whl")))

    library = ("cargo", "build", "--release", "--locked", crate, "--example=c_library")
    session.run(*library, external=True)
    shutil.copy(folder / "target" / "release" / "examples" / "libc_library.so", modules)
    compile_c(session, sources, modules)

    paths = ROOT / "benchmarks", modules, project / "tests"
    session.env["PYTHONPATH"] = os.pathsep.join(map(str, paths))
    times = f"--benchmark-json={folder / 'times.json'}"
    bench = ("pytest", "--quiet", "-ppytest_benchmark.plugin", "benchmarks/bench_variants.py")
    session.run(*bench, times)
    for script in ("memory", "gil"):
        with (folder / f"{script}.json").open("w") as printed:
            session.run("python", f"benchmarks/{script}.py", stdout=printed)
    limit = ("cargo", "run", "--release", "--locked", crate, "--example=limit")
    session.run(*limit, "--", "--bench", external=True)
    conclusion = "goals" if session.posargs == ["--check"] else "report"
    session.run("python", f"benchmarks/{conclusion}.py", str(folder))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site in build/site/html/; a warning is an error, a dead link among them.

    `nox -s docs -- --browser` then looks at each page in Chromium, wide and narrow, light and dark.
    """
    if session.posargs not in ([], ["--browser"]):
        session.error(f"nox -s docs takes --browser or nothing, not {session.posargs}")
    session.install("--require-hashes", "--requirement=docs/requirements.txt")
    session.run("python", "-m", "tools.site")
    if session.posargs:
        # Without the fixtures of the other tests, whose tools need a newer docutils than Sphinx.
        session.run("pytest", "--verbose", "--noconftest", "tests/on_demand/test_site.py")


@nox.session
def reference(session: nox.Session) -> None:
    """Write the pages of docs/reference/ that repeat what the sources say."""
    session.run("python", "-m", "tools.reference")


@nox.session(name="first-minute")
def first_minute(session: nox.Session) -> None:
    """Render and build a project; draw what the terminal showed: docs/first-minute.svg."""
    set_up(session)
    session.run("python", "-m", "tools.first_minute")


@nox.session
def nightly(session: nox.Session) -> None:
    """Follow every recipe by itself; render 2,000 hostile answers; ask the kernel a million times.

    The kernel's definition gives the answers. Both backends go through the tests for which one is
    enough in `make test`. ThreadSanitizer watches the module, and Miri runs the kernel's tests,
    where they are installed.
    """
    set_up(session)
    alone = "tests/on_demand/test_recipes_alone.py"
    session.run("pytest", "--numprocesses=auto", "--verbose", alone)
    if Path("/usr/lib/rustlib/src/rust/library").exists():
        session.run("pytest", "--verbose", "tests/on_demand/test_data_races.py")
    else:
        session.warn("ThreadSanitizer was NOT run: Debian's package rust-web-src is not installed.")
    # Each with both backends: see tests/helpers/pairs.py.
    release = [f"tests/release/test_{name}.py" for name in ("rehearsal", "release")]
    in_turn = ("tests/project", "tests/docs/test_replace_the_kernel.py", *release)
    workers = ("--numprocesses=auto", "--dist=loadfile")
    session.run("pytest", *workers, *in_turn, env={"ALL_PAIRS": "1"})
    hostile = ("pytest", "--verbose", "tests/rendering/test_hostile_answers.py")
    session.run(*hostile, env={"HOSTILE_EXAMPLES": "2000"})
    folder = ROOT / "build" / "nightly"
    session.env["CARGO_TARGET_DIR"] = str(folder / "target")
    session.env["QUICKCHECK_TESTS"] = "1000000"
    session.chdir(render(session, folder))
    test = ("test", "--locked", "--no-default-features", *session.posargs)
    session.run("cargo", *test, external=True)

    miri = subprocess.run(["cargo", "+nightly", "miri", "--version"], capture_output=True)
    if miri.returncode:
        session.warn("Miri was NOT run: this machine has no nightly toolchain with it.")
    else:
        session.env["QUICKCHECK_TESTS"] = "100"  # Miri is thousands of times slower
        session.run("cargo", "+nightly", "miri", *test, external=True)


@nox.session
def compare(session: nox.Session) -> None:
    """Compare projects with the release they come from: `nox -s compare -- ../one ../two`."""
    session.install("--require-hashes", "--requirement=requirements.txt")
    with session.chdir(session.invoked_from):
        session.run(
            "python", "-m", "tools.compare", *session.posargs, env={"PYTHONPATH": str(ROOT)}
        )


@nox.session(name="bump-actions")
def bump_actions(session: nox.Session) -> None:
    """Bring every `uses:` line to the newest version in any file; --newest asks the hosts."""
    session.install("--require-hashes", "--requirement=requirements.txt")
    session.run("python", "-m", "tools.actions", *session.posargs)


@nox.session
def canary(session: nox.Session) -> None:
    """Render, build and test with everything at its newest; one table: what is behind or broken.

    `nox -s canary -- --look` only looks up what is behind; with `--strict` it fails, too, where
    something was out of reach. cibuildwheel takes its own images where it can have no stand-ins.
    """
    set_up(session)
    session.run("python", "-m", "tools.canary", *session.posargs)


def compile_c(session: nox.Session, sources: Path, modules: Path) -> None:
    """Compile into a folder what is in C: two opponents, and two interfaces to its Rust library."""
    question = "import sysconfig; print(sysconfig.get_path('include'))"
    headers = (session.run("python", "-c", question, silent=True) or "").strip()
    if not Path(headers, "Python.h").exists():
        session.error(
            f"Missing: {headers}/Python.h (on Debian and Ubuntu: apt install python3-dev)"
        )
    for name in ("swig_c", "swig_rust"):
        swig = ("swig", "-python", "-outdir", str(modules), "-o", str(modules / f"{name}.c"))
        session.run(*swig, str(sources / f"{name}.i"), external=True)
    prelude, interface = modules / "prelude.c", modules / "cffi_rust.c"
    prelude.write_text('#include "doubles.h"\n', "utf-8")
    cffi = ("cffi-gen-src", "read-sources", "cffi_rust", str(sources / "doubles.h"))
    session.run(*cffi, str(prelude), str(interface))
    gcc = ("gcc", "-O3", "-shared", "-fPIC", f"-I{headers}", f"-I{sources}")
    rust = (f"-L{modules}", "-lc_library", "-Wl,-rpath,$ORIGIN")
    for source, module, libraries in (
        (modules / "swig_c.c", "_swig_c", ()),
        (sources / "plain.c", "plain_c", ()),
        (modules / "swig_rust.c", "_swig_rust", rust),
        (interface, "cffi_rust", rust),
    ):
        output = str(modules / f"{module}.so")
        session.run(*gcc, str(source), "-o", output, *libraries, external=True)


def render(session: nox.Session, folder: Path) -> Path:
    """Render a project with the default answers in a folder, in place of an earlier one."""
    options = ("--no-input", "--default-config")
    project = folder / "fast-doubles"
    shutil.rmtree(project, ignore_errors=True)
    session.run("cookiecutter", str(ROOT), *options, f"--output-dir={folder}")
    return project


def set_up(session: nox.Session) -> None:
    """Install the locked tools, on a machine with Rust."""
    require_rust(session)
    session.install("--require-hashes", "--requirement=requirements.txt")


def require_rust(session: nox.Session) -> None:
    """Stop with a plain sentence where Rust is missing or too old."""
    wanted = ".".join(map(str, OLDEST_RUST))
    if not (shutil.which("cargo") and shutil.which("rustc")):
        session.error(f"Missing: Rust {wanted} or newer (cargo and rustc). See https://rustup.rs")
    answer = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"rustc (\d+)\.(\d+)", answer)
    if version is None or tuple(map(int, version.groups())) < OLDEST_RUST:
        session.error(f"Missing: Rust {wanted} or newer; this is {answer.strip() or 'unusable'}")


def require_c(session: nox.Session) -> None:
    """Stop with a plain sentence where a tool of the opponents in C is missing."""
    lacking = [command for command in ("gcc", "swig") if not shutil.which(command)]
    if lacking:
        names = " ".join(lacking)
        session.error(f"Missing: {names} (on Debian and Ubuntu: apt install {names})")
