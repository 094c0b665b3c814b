"""Fixtures of what is run on demand: images, and wheels that are cross-compiled."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD, abi3t_arguments
from helpers.fixture_types import Render, Run
from helpers.interpreters import version_of
from tools import stand_ins
from tools.machine import pythons

PACKAGES = (
    "rustc-web cargo-web libstd-rust-web-dev rust-web-src "
    "gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 musl-tools wine wine64"
)
SOURCES = Path("/usr/lib/rustlib/src/rust/library")
BUILD_STD = ("-Z", "build-std=std,panic_abort")
ZIG = ("--zig",)
MUSL = (*ZIG, "--compatibility=musllinux_1_2")

PLATFORMS = {
    "win_amd64": ("x86_64-pc-windows-gnu", ()),
    "win32": ("i686-pc-windows-gnu", ()),
    "macosx_11_0_arm64": ("aarch64-apple-darwin", ZIG),
    "macosx_10_12_x86_64": ("x86_64-apple-darwin", ZIG),
    "musllinux_1_2_x86_64": ("x86_64-unknown-linux-musl", MUSL),
    "musllinux_1_2_aarch64": ("aarch64-unknown-linux-musl", MUSL),
    "musllinux_1_2_ppc64le": ("powerpc64le-unknown-linux-musl", MUSL),
}


@pytest.fixture(scope="module")
def images() -> stand_ins.StandIns:
    if lacks := stand_ins.missing():
        pytest.fail(f"this machine lacks {', '.join(lacks)}", pytrace=False)
    folder = BUILD / "stand-ins"
    folder.mkdir(parents=True, exist_ok=True)
    return stand_ins.StandIns(folder, pythons())


@pytest.fixture(scope="module")
def image() -> Callable[[Callable[[], str]], str]:
    """The name of an image, which is built unless it is there; why it cannot be, in a sentence."""

    def image(build: Callable[[], str]) -> str:
        try:
            return build()
        except RuntimeError as reason:
            pytest.fail(str(reason), pytrace=False)

    return image


@pytest.fixture(scope="module")
def debian_rust() -> dict[str, str]:
    """The variables under which Debian's own cargo builds a standard library from source."""
    if not SOURCES.exists() or shutil.which("i686-w64-mingw32-gcc") is None:
        pytest.fail(f"needed: apt-get install {PACKAGES}", pytrace=False)
    return {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(BUILD / "target-cross")}


def start_up_objects(target: str, run: Run, folder: Path) -> str:
    """Two objects that 32-bit MinGW links and `build-std` leaves out; the flag that finds them."""
    for name in ("rsbegin", "rsend"):
        run(
            *("/usr/bin/rustc", f"--target={target}", "-O", "--emit=obj"),
            *("-o", folder / f"{name}.o", SOURCES / "rtstartup" / f"{name}.rs"),
            cwd=folder,
            RUSTC_BOOTSTRAP="1",
        )
    return f"-Lnative={folder}"


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    """Each platform; a test that asks for it is run for all."""
    platform: str = request.param
    return platform


@pytest.fixture(scope="module")
def cross_build(
    debian_rust: dict[str, str],
    render: Render,
    run: Run,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Path]:
    """Cross-compile the wheel of an ABI for a platform with maturin; the same one once."""
    wheels: dict[tuple[str, str], Path] = {}

    def cross_build(platform: str, abi: str = "abi3") -> Path:
        if (platform, abi) in wheels:
            return wheels[platform, abi]
        folder = tmp_path_factory.mktemp(f"{platform}-{abi}")
        project = render(build_backend="maturin")
        target, arguments = PLATFORMS[platform]
        variables = debian_rust | {"PATH": environment["PATH"].split(":")[0] + ":/usr/bin:/bin"}
        if platform == "win32":
            variables["RUSTFLAGS"] = start_up_objects(target, run, folder)
        elif platform.startswith("musl"):
            variables["RUSTFLAGS"] = "-Ctarget-feature=-crt-static"
        elif platform.startswith("macosx"):
            variables["CARGO_PROFILE_RELEASE_STRIP"] = "false"  # wants a tool that is not packaged
        if platform == "macosx_10_12_x86_64":
            variables["MACOSX_DEPLOYMENT_TARGET"] = "10.12"
        if abi != "abi3":
            version = f"{version_of(abi)}t"
            variables |= {"PYO3_CROSS": "1", "PYO3_CROSS_PYTHON_VERSION": version}
            arguments = (*arguments, f"--interpreter=python{version}")
        if abi == "cp315t":
            arguments = (*arguments, *abi3t_arguments(project))
        run(
            *("maturin", "build", "--release", f"--target={target}", f"--out={folder / 'out'}"),
            *(*arguments, *BUILD_STD),
            cwd=project,
            **variables,
        )
        (wheels[platform, abi],) = (folder / "out").glob("*.whl")
        return wheels[platform, abi]

    return cross_build
