"""ThreadSanitizer watches the module while eight threads call it, without a GIL: `nox -s nightly`.

It sees races between Rust code alone: CPython itself is not compiled for it. Needed: what
`nox -s cross` needs.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD
from helpers.fixture_types import Render, Run
from helpers.interpreters import HAMMER, CannotRun, linux
from helpers.pages import edit
from tools.machine import python_of

FLAGS = "-Zsanitizer=thread -Zexternal-clangrt -Cunsafe-allow-abi-mismatch=sanitizer"
PROFILE = {"STRIP": "false", "LTO": "off", "DEBUG": "1"}
# GCC's library lacks three names that rustc calls.
MISSING_NAMES = """\
#include <string.h>
void *__tsan_memcpy(void *to, const void *from, size_t n) { return memcpy(to, from, n); }
void *__tsan_memmove(void *to, const void *from, size_t n) { return memmove(to, from, n); }
void *__tsan_memset(void *to, int byte, size_t n) { return memset(to, byte, n); }
"""
COUNTER = """
static mut CALLS: usize = 0;

/// Counts its calls, without a lock.
pub fn count_in_bytes(py: Python<'_>, bytes: &[u8]) -> usize {
    unsafe { CALLS += 1 };
    counted(py, bytes)
}
"""


def of_the_module(report: str) -> bool:
    """Whether the module itself makes one of the two accesses, and not CPython on its behalf.

    CPython's own, on memory that it hands from thread to thread, are reported too: it is not
    compiled for ThreadSanitizer, which does not see its locks.
    """
    frames = re.findall(r"^    #0 (.*)\n(?:    #1 (.*)\n)?", report, re.M)
    return any("_native" in (caller if "libtsan" in first else first) for first, caller in frames)


@pytest.fixture
def races(
    debian_rust: dict[str, str],
    environment: dict[str, str],
    run: Run,
    tmp_path: Path,
) -> Callable[[Path], list[str]]:
    """Build a project for ThreadSanitizer, attack it, return the reports that name the module."""
    try:
        interpreter = linux.put_together("cp314t", "gnu", BUILD / "interpreters", run)
    except CannotRun as reason:
        pytest.fail(str(reason), pytrace=False)

    def races(project: Path) -> list[str]:
        path = environment["PATH"].split(":")[0] + ":/usr/bin:/bin"
        profile = {f"CARGO_PROFILE_RELEASE_{key}": value for key, value in PROFILE.items()}
        target = {"CARGO_TARGET_DIR": str(BUILD / "target-races")}
        run(
            *("maturin", "build", "--release", "--target=x86_64-unknown-linux-gnu"),
            *("--compatibility=linux", f"--interpreter={interpreter}", f"--out={tmp_path}"),
            *("-Z", "build-std=std,panic_abort"),
            cwd=project,
            **(debian_rust | profile | target | {"PATH": path, "RUSTFLAGS": FLAGS}),
        )
        (wheel,) = tmp_path.glob("*.whl")
        run("uv", "venv", "--clear", f"--python={interpreter}", "environment", cwd=tmp_path)
        python = python_of(tmp_path / "environment")
        run("uv", "pip", "install", f"--python={python}", wheel, cwd=tmp_path)
        source, library = tmp_path / "names.c", tmp_path / "libnames.so"
        source.write_text(MISSING_NAMES, "utf-8")
        run("gcc", "-shared", "-fPIC", source, "-o", library, cwd=tmp_path)
        preload = f"libtsan.so.2 {library}"
        watch = ("env", f"LD_PRELOAD={preload}", "TSAN_OPTIONS=exitcode=0")
        printed = run(*watch, python, HAMMER, "5", "--no-fresh", cwd=tmp_path).stdout
        assert int(re.findall(r"^(\d+) calls, 0 wrong", printed, re.M)[0]) > 1000
        reports = printed.split("WARNING: ThreadSanitizer: ")[1:]
        return [report for report in reports if of_the_module(report)]

    return races


def test_eight_threads_race_for_nothing(races: Callable[[Path], list[str]], render: Render) -> None:
    assert races(render()) == []


def test_a_counter_without_a_lock_is_reported(
    races: Callable[[Path], list[str]], render: Render
) -> None:
    project = render()
    file = project / "rust" / "python" / "sample_text.rs"
    edit(file, "pub fn count_in_bytes(", f"{COUNTER}\nfn counted(")
    assert any("sample_text.rs" in report for report in races(project))
