"""The compiler compares many units of the kernel with one instruction, in the release profile.

Nothing else notices when it stops, for another compiler, profile or turn of phrase: the counts
stay right, and take forty times as long. The assembly is the same on every run, and needs nothing
but the compiler; counted instructions would need valgrind, times an idle machine.
"""

import platform
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Render, Run
from tools.template import TEMPLATE

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "AMD64"),
        reason="only the instructions of x86_64 are known here",
    ),
]

CALLERS = """
mod kernel;

#[unsafe(no_mangle)]
pub fn count_in_bytes(text: &[u8]) -> usize {
    kernel::count_doubles(text)
}

#[unsafe(no_mangle)]
pub fn count_in_code_points(text: &[u32]) -> usize {
    kernel::count_doubles(text)
}
"""
MANIFEST = """
[package]
name = "callers"
edition = "2024"
[lib]
path = "lib.rs"
crate-type = ["cdylib"]
[workspace]
"""
ARTICLES_RUST = (TEMPLATE / "benchmarks" / "opponents" / "rust.rs").read_text("utf-8")


@pytest.fixture
def packed(render: Render, run: Run, tmp_path: Path) -> Callable[..., dict[str, bool]]:
    """Tell whether bytes and code points are compared in packs, by a kernel under a profile."""
    project = render()
    shipped = (project / "rust" / "kernel.rs").read_text("utf-8")
    cargo = (project / "Cargo.toml").read_text("utf-8")
    (release,) = re.findall(r"^\[profile\.release\]$.*?(?=^\[|\Z)", cargo, re.DOTALL | re.MULTILINE)

    def packed(kernel: str = shipped, profile: str = "") -> dict[str, bool]:
        (tmp_path / "kernel.rs").write_text(kernel, "utf-8")
        (tmp_path / "lib.rs").write_text(CALLERS, "utf-8")
        (tmp_path / "Cargo.toml").write_text(f"{MANIFEST}{release}{profile}", "utf-8")
        target = tmp_path / "target"
        command = ("cargo", "rustc", "--release", "--offline", "--", "--emit=asm")
        run(*command, cwd=tmp_path, CARGO_TARGET_DIR=str(target))
        (file,) = target.glob("release/deps/callers*.s")
        assembly = file.read_text("utf-8")

        def in_packs(function: str, comparison: str) -> bool:
            body = rf"^_?{function}:$.*?\.(?:cfi|seh)_endproc$"
            (code,) = re.findall(body, assembly, re.DOTALL | re.MULTILINE)
            # Adding up in bytes tells the kernel from the article's loop, which some compilers
            # do pack, and add up in a few wide counters: ten times slower all the same.
            return all(re.search(rf"\bv?{name}\s", code) for name in (comparison, "p(?:add|sub)b"))

        return {
            "bytes": in_packs("count_in_bytes", "pcmpeqb"),
            "code points": in_packs("count_in_code_points", "pcmpeqd"),
        }

    return packed


def test_kernel_compares_many_units_at_once(packed: Callable[..., dict[str, bool]]) -> None:
    assert packed() == {"bytes": True, "code points": True}


def test_loss_by_the_profile_is_seen(packed: Callable[..., dict[str, bool]]) -> None:
    assert packed(profile='opt-level = "s"\n') == {"bytes": False, "code points": False}


def test_loss_by_the_articles_loop_is_seen(packed: Callable[..., dict[str, bool]]) -> None:
    (loop,) = re.findall(r"^    fn once<.*?^    }$", ARTICLES_RUST, re.DOTALL | re.MULTILINE)
    caller = "pub fn count_doubles<Unit: PartialEq>(text: &[Unit]) -> usize { once(text.iter()) }"
    assert packed(kernel=f"{caller}\n{loop}") == {"bytes": False, "code points": False}
