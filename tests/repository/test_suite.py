"""The suite itself: what collecting its tests does, what workers share, how it may be started."""

import getpass
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import durations
from helpers.fixture_types import Run
from helpers.rendering import copy_template
from tools.canary import trials
from tools.template import TEMPLATE

pytestmark = pytest.mark.builds  # each takes seconds, and some compile

TESTS = TEMPLATE / "tests"
PACKAGES = os.pathsep.join([str(TESTS), str(TEMPLATE)])  # of helpers and of tools
posix = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX")

# Loaded at the start of each Python: writes down what it starts.
RECORDER = """
import json, os, sys
def record(event, arguments):
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        words = arguments[1] if event == "subprocess.Popen" else arguments[:2]
        words = [words] if isinstance(words, (str, bytes)) else list(words)
        with open(os.environ["RECORD"], "a") as file:
            file.write(json.dumps([os.fsdecode(w) if w else "" for w in map(str, words)]) + "\\n")
sys.addaudithook(record)
"""


def files(folder: Path) -> set[str]:
    """The files below a folder, without what Python, pytest and Hypothesis cache."""
    names = {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()}
    caches = {"__pycache__", "pytest_cache", "hypothesis"}
    return {name.as_posix() for name in names if not caches.intersection(name.parts)}


@pytest.fixture
def fresh_clone(tmp_path: Path) -> Path:
    """The template's files, without anything that a test has left, in a folder with spaces."""
    return copy_template(tmp_path / "a fresh clöne")


def test_collecting_compiles_nothing_and_writes_nothing(
    fresh_clone: Path, run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    """By two workers at once, which must find the same tests."""
    run("git", "init", "--quiet", cwd=fresh_clone)
    before = files(fresh_clone)
    recorder, scratch, record = (tmp_path / name for name in ("recorder", "scratch", "record"))
    recorder.mkdir()
    scratch.mkdir()
    (recorder / "sitecustomize.py").write_text(RECORDER)
    variables = {"PYTHONPATH": str(recorder), "RECORD": str(record), "TMPDIR": str(scratch)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "--collect-only", "--quiet"],
            cwd=fresh_clone,
            env=environment | variables | {"PYTEST_XDIST_WORKER": worker},
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for worker in ("gw0", "gw1")
    ]
    printed = [worker.communicate(timeout=300)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], printed
    first, second = ([line for line in text.splitlines() if "::" in line] for text in printed)
    assert len(first) > 1000
    assert first == second
    assert files(fresh_clone) == before
    assert files(scratch) == set()
    started = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    assert ["git", "ls-files"] in [words[:2] for words in started]
    for program, *words in started:
        asks_git = program == "git" and words[0] in ("ls-files", "rev-parse")
        asks_python = words == ["-c", "import sys; print(sys.executable)"]
        assert asks_git or asks_python, (program, words)


def both(code: str, *arguments: object, environment: dict[str, str]) -> list[str]:
    """Run Python code twice at once, with one argument more: "gw0" or "gw1"; what each prints."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments), worker],
            env=environment | {"PYTHONPATH": PACKAGES, "PYTEST_XDIST_WORKER": worker},
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for worker in ("gw0", "gw1")
    ]
    printed = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    return printed


def test_every_worker_has_a_folder_of_its_own(environment: dict[str, str]) -> None:
    code = "from helpers import builds; print(builds.BUILD, builds.cargo_target(), sep=chr(10))"
    first, second = (text.splitlines() for text in both(code, environment=environment))
    for one, other in zip(first, second, strict=True):
        assert one != other
        assert Path(one).is_relative_to(TEMPLATE / "build")
    others = {
        file.name
        for folder in (TESTS, TEMPLATE / "tools")
        for file in folder.rglob("*.py")
        if 'TEMPLATE / "build' in file.read_text("utf-8") and file != Path(__file__)
    }
    # The canary and the build of the site are one process; sccache is one server, for all workers.
    assert others == {"builds.py", "workspace.py", "pages.py", "compiler_cache.py"}


# Neither goes on before both have compiled.
LIBRARIES = """
import sys, time
from pathlib import Path
from helpers import durations, small_wheels
folder, worker = Path(sys.argv[1]), sys.argv[2]
def run(*words, compile=small_wheels.subprocess.run, **options):
    compile(*words, **options)
    Path(folder, worker).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
small_wheels.subprocess.run = run
name = f"PyInit_{worker}"
print(name.encode() in small_wheels.library("win32", small_wheels.entry_point(name)))
"""


def test_libraries_made_at_once_are_not_mixed_up(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """In zig's own cache neither, which is empty here."""
    scratch, compiled = tmp_path / "scratch", tmp_path / "compiled"
    scratch.mkdir()
    compiled.mkdir()
    variables = {"ZIG_GLOBAL_CACHE_DIR": str(tmp_path / "zig"), "TMPDIR": str(scratch)}
    assert both(LIBRARIES, compiled, environment=environment | variables) == ["True\n"] * 2
    assert list(scratch.iterdir()) == []


# Writes down when it begins and ends, and remembers what it made.
PODMAN = """#!/bin/sh
made="$STORE/made-$(echo "$*" | grep -o 'stand-in[a-z0-9_-]*' | tail -n 1)"
case "$1 $2" in
"image exists") test -e "$made" ;;
import* | build*)
  cat >/dev/null </dev/null
  echo "begin $made" >>"$STORE/log"
  sleep 0.5
  touch "$made"
  echo "end $made" >>"$STORE/log"
  ;;
esac
"""
IMAGES = """
import sys
from pathlib import Path
from tools.stand_ins import StandIns
folder = Path(*sys.argv[1:])
folder.mkdir()
print(StandIns(folder, {}).image("x86_64"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the images are Linux'")
def test_an_image_is_built_once(environment: dict[str, str], tmp_path: Path) -> None:
    """By the worker that comes first; podman, mmdebstrap and others are stood in for."""
    tools, store = tmp_path / "bin", tmp_path / "store"
    tools.mkdir()
    store.mkdir()
    scripts = {
        "podman": PODMAN,
        "apt-config": "#!/bin/sh",
        "mmdebstrap": "#!/bin/sh",
        "apt-get": "#!/bin/sh\necho https://example.com/debian",
        "rustup": "#!/bin/sh\necho /rustup",
    }
    for name, script in scripts.items():
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    path = f"{tools}{os.pathsep}{environment['PATH']}"
    variables = environment | {"PATH": path, "STORE": str(store)}
    first, second = both(IMAGES, tmp_path, environment=variables)
    assert first == second
    log = [line.split()[0] for line in (store / "log").read_text().splitlines()]
    assert log == ["begin", "end"] * 2  # the base, then the image with the interpreters


@posix
def test_signals_reach_what_the_tests_start() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(["sleep", "60"])
        process.send_signal(number)
        assert process.wait(timeout=30) == -number


def ignore() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def block() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])


@posix
@pytest.mark.parametrize("inherited", [ignore, block])
def test_signals_reach_it_whatever_the_suite_inherits(
    inherited: Callable[[], None], environment: dict[str, str], tmp_path: Path
) -> None:
    """A shell ignores SIGINT for what it starts in the background."""
    options = (f"--basetemp={tmp_path / 'tests'}", f"--override-ini=cache_dir={tmp_path / 'cache'}")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"{__file__}::{reach.__name__}"],
        cwd=TEMPLATE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        preexec_fn=inherited,
        encoding="utf-8",
        timeout=120,
    )
    assert "1 passed" in result.stdout


reach = test_signals_reach_what_the_tests_start


@posix
@pytest.mark.parametrize("home", [None, ""])
def test_a_home_that_is_unset_or_empty(
    home: str | None, environment: dict[str, str], tmp_path: Path
) -> None:
    """An empty one would be the root folder; without any, zig stops."""
    variables = {name: value for name, value in environment.items() if name != "HOME"}
    code = "import os; from helpers import surroundings; surroundings.settle_environment()"
    code += "; print(os.environ['HOME'])"
    for printed in both(code, environment=variables | ({} if home is None else {"HOME": home})):
        assert printed.strip() == os.path.expanduser(f"~{getpass.getuser()}")


# Compiles one crate into two target folders; prints the hits of the cache and the server's socket.
TWICE = """
import json, os, subprocess, sys
from pathlib import Path
from helpers.compiler_cache import compiler_cache
crate, worker = map(Path, sys.argv[1:])
with compiler_cache(crate.with_name(f"cache of {worker}")):
    for target in ("one", "two"):
        variables = os.environ | {"CARGO_TARGET_DIR": str(crate.with_name(f"{target} of {worker}"))}
        build = ["cargo", "build", "--quiet", "--release", "--offline"]
        subprocess.run(build, cwd=crate, env=variables, check=True)
    asked = [os.environ["SCCACHE"], "--show-stats", "--stats-format=json"]
    stats = json.loads(subprocess.check_output(asked))["stats"]
    print(stats["cache_hits"]["counts"].get("Rust", 0), stats["cache_misses"]["counts"]["Rust"])
    socket = Path(os.environ["SCCACHE_SERVER_UDS"])
    print(socket.exists())
print(socket.exists())
"""


@posix
def test_a_crate_is_compiled_once_for_all_target_folders(
    environment: dict[str, str], run: Run, tmp_path: Path
) -> None:
    """And the server ends with the suite."""
    crate = tmp_path / "tiny"
    run("cargo", "new", "--quiet", "--vcs=none", "--lib", crate, cwd=tmp_path)
    variables = {name: text for name, text in environment.items() if name != "RUSTC_WRAPPER"}
    for printed in both(TWICE, crate, environment=variables):
        hits_and_misses, during, after = printed.splitlines()
        assert hits_and_misses == "1 1"
        assert (during, after) == ("True", "False")


# A plugin of pytest that tells what the suite's conftest.py has set for the programs it starts.
TELL = """
import os
def pytest_collection_finish():
    print("RUSTC_WRAPPER is", os.environ.get("RUSTC_WRAPPER") or "not set")
"""


@posix
def test_quick_tests_can_compile_nothing(run: Run, tmp_path: Path) -> None:
    """With the expression of `nox -s quick`, and that of the canary, and with no other."""
    (quick,) = re.findall(
        r'"--dist=loadfile", "-m", "([^"]+)"', (TEMPLATE / "noxfile.py").read_text("utf-8")
    )
    assert ("-m", quick) == trials.QUICK
    (tmp_path / "tell.py").write_text(TELL)
    words = TESTS / "repository" / "test_words.py"  # any that is not marked
    collect = (sys.executable, "-m", "pytest", "--collect-only", "-ptell", words)
    path = {"PYTHONPATH": str(tmp_path), "RUSTC_WRAPPER": ""}  # a quick run has set it
    cache = f"--override-ini=cache_dir={tmp_path / 'cache'}"
    assert "RUSTC_WRAPPER is not set" in run(*collect, cache, cwd=TEMPLATE, **path).stdout
    printed = run(*collect, cache, "-m", quick, cwd=TEMPLATE, **path).stdout
    (wrapper,) = re.findall(r"RUSTC_WRAPPER is (/.*)", printed)

    crate = tmp_path / "tiny"
    run("cargo", "new", "--quiet", "--vcs=none", "--lib", crate, cwd=tmp_path)
    build = ("cargo", "build", "--offline")
    refused = run(*build, cwd=crate, check=False, RUSTC_WRAPPER=wrapper)
    assert refused.returncode != 0
    assert "A test without the mark 'builds' compiles" in refused.stdout


def report(file: str, worker: str, start: float, seconds: float) -> pytest.TestReport:
    """A test's report as pytest-xdist hands it on."""
    one = pytest.TestReport(
        nodeid=f"tests/{file}::test",
        location=(file, 0, "test"),
        keywords={},
        outcome="passed",
        longrepr=None,
        when="call",
        duration=seconds,
        start=start,
        stop=start + seconds,
    )
    setattr(one, "worker_id", worker)  # noqa: B010 # the type does not know it
    return one


def test_the_time_of_a_run_is_told_by_file_and_worker() -> None:
    reports = [
        report("c.py", "gw0", 2.5, 0.5),
        report("b.py", "gw1", 0, 7),
        report("a.py", "gw0", 1, 1.5),
        report("a.py", "gw0", 0, 1),
    ]
    assert durations.table(reports, longest=1) == [
        "    7.0 s  tests/b.py",
        "    3.0 s  2 other files",
        "Waited for the last worker at the end: gw0 4 s, gw1 0 s",
    ]
    assert durations.table([]) == []
