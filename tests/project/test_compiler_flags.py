"""The flags for rustc of a project's .cargo/config.toml are in every wheel.

test_cibuildwheel.py sees it on manylinux, and here is what setuptools-rust does on musl: it sets
RUSTFLAGS: cargo then reads no flags from anywhere else. maturin joins them by itself.
"""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Render, Run

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(sys.platform != "linux", reason="stand-ins are shell scripts"),
]

# rustc as on musl: what it prints of its target, and which conditions apply.
RUSTC = """#!/bin/sh
case "$*" in
  *--print*cfg*) {rustc} "$@" | sed 's/target_env="gnu"/target_env="{env}"/' ;;
  *--emit=metadata*)
    exec {rustc} "$@" -A explicit_builtin_cfgs_in_flags --cfg 'target_env="{env}"' ;;
  *) exec {rustc} "$@" ;;
esac
"""
# cargo up to the moment at which it would compile.
CARGO = """#!/bin/sh
[ "$1" = rustc ] || exec {cargo} "$@"
printf 'RUSTFLAGS=%s\\n' "$RUSTFLAGS" >&2
printf 'ENCODED=%s\\n' "$CARGO_ENCODED_RUSTFLAGS" | tr '\\037' '|' >&2
exit 1
"""
OWN = "-Ctarget-feature=-crt-static"
MORE = "--remap-path-prefix=/root/.cargo=cargo"
CASES = {
    "none": ("", ""),
    "build": ('[build]\nrustflags = ["--cfg", "quick"]', f"{OWN}|--cfg|quick|{MORE}"),
    "build, as a text": ('[build]\nrustflags = "--cfg quick"', f"{OWN}|--cfg|quick|{MORE}"),
    "a space": (
        "[build]\nrustflags = ['--cfg=name=\"a b\"']",
        f'{OWN}|--cfg=name="a b"|{MORE}',
    ),
    "a condition that applies": (
        '[target.\'cfg(all(target_env = "musl", unix))\']\nrustflags = ["-Cpanic=unwind"]\n'
        '[build]\nrustflags = ["--cfg", "quick"]',
        f"{OWN}|-Cpanic=unwind",
    ),
    "a condition that does not": (
        '[target."cfg(windows)"]\nrustflags = ["-Cpanic=unwind"]\n'
        '[build]\nrustflags = ["--cfg", "quick"]',
        f"{OWN}|--cfg|quick|{MORE}",
    ),
    "another target": (
        '[target.x86_64-pc-windows-msvc]\nrustflags = ["-Cpanic=unwind"]\n'
        '[build]\nrustflags = ["--cfg", "quick"]',
        f"{OWN}|--cfg|quick|{MORE}",
    ),
}


@pytest.fixture
def flags(render: Render, run: Run, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Start a build of a rendering with a configuration of cargo; return the flags cargo gets."""

    def flags(config: str, env: str, **variables: str) -> dict[str, str]:
        project = render(build_backend="setuptools-rust")
        with (project / ".cargo" / "config.toml").open("a") as file:
            file.write(f"\n{config}\n")
        (tmp_path / "bin").mkdir()
        for name, script in {"rustc": RUSTC, "cargo": CARGO}.items():
            text = script.replace(f"{{{name}}}", str(shutil.which(name))).replace("{env}", env)
            (tmp_path / "bin" / name).write_text(text)
            (tmp_path / "bin" / name).chmod(0o755)
        path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
        build = ("python", "-m", "build", "--wheel", "--no-isolation")
        printed = run(*build, cwd=project, check=False, PATH=path, **variables).stdout
        assert "RUSTFLAGS=" in printed, printed
        return dict(re.findall(r"^(RUSTFLAGS|ENCODED)=(.*)$", printed, re.MULTILINE))

    return flags


@pytest.mark.parametrize(("config", "encoded"), CASES.values(), ids=CASES)
def test_setuptools_rust_on_musl(
    config: str, encoded: str, flags: Callable[..., dict[str, str]]
) -> None:
    more = {"CARGO_BUILD_RUSTFLAGS": MORE} if config else {}  # as [tool.cibuildwheel] sets it
    assert flags(config, "musl", **more) == {"RUSTFLAGS": OWN, "ENCODED": encoded}


def test_a_table_of_the_host_applies(run: Run, flags: Callable[..., dict[str, str]]) -> None:
    (host,) = re.findall(r"host: (.*)", run("rustc", "-vV", cwd=Path.cwd()).stdout)
    config = f'[target.{host}]\nrustflags = ["--cfg", "quick"]'
    assert flags(config, "musl")["ENCODED"] == f"{OWN}|--cfg|quick"


def test_elsewhere_cargo_reads_them_itself(flags: Callable[..., dict[str, str]]) -> None:
    config, _ = CASES["build"]
    assert flags(config, "gnu") == {"RUSTFLAGS": "", "ENCODED": ""}


def test_flags_of_the_environment_win_as_with_cargo(flags: Callable[..., dict[str, str]]) -> None:
    config, _ = CASES["build"]
    found = flags(config, "musl", RUSTFLAGS="--cfg loud")
    assert found == {"RUSTFLAGS": f"{OWN} --cfg loud", "ENCODED": ""}
