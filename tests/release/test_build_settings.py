"""How wheels are built and tested: the settings of cibuildwheel, the locked tools, the Rust."""

import re
import tomllib

from helpers.fixture_types import Render
from tools.template import BACKENDS, PROJECT_FOLDER


def test_wheels_are_tested_with_pytest_alone(render: Render) -> None:
    for backend in BACKENDS:
        manifest = tomllib.loads(
            (render(build_backend=backend) / "pyproject.toml").read_text("utf-8")
        )
        (group,) = manifest["tool"]["cibuildwheel"]["test-groups"]
        assert [re.split(r"[^a-z]", tool)[0] for tool in manifest["dependency-groups"][group]] == [
            "pytest"
        ]

    lock = (PROJECT_FOLDER / "release" / "wheel-requirements.txt").read_text("utf-8")
    assert "hypothesis" not in lock
    for backend in BACKENDS:
        text = (render(build_backend=backend) / "pyproject.toml").read_text("utf-8")
        assert "test-requires" not in text
        assert text.count("test-groups") == 1


INSTALL = "python -m pip install --require-hashes --requirement {project}/release/"


def test_cibuildwheel_is_told_how_to_build_on_each_system(render: Render) -> None:
    for backend in BACKENDS:
        manifest = tomllib.loads(
            (render(build_backend=backend) / "pyproject.toml").read_text("utf-8")
        )
        table = manifest["tool"]["cibuildwheel"]
        assert table["build-frontend"] == {"name": "build", "args": ["--no-isolation"]}
        assert table["before-build"] == INSTALL + "wheel-requirements.txt"
        assert table["before-test"] == INSTALL + "wheel-requirements.txt"
        assert "build" not in table
        assert table["linux"]["before-all"].startswith("command -v cargo || curl ")
        assert table["linux"]["before-all"].endswith("--default-toolchain $RUSTUP_TOOLCHAIN")
        assert table["linux"]["environment"]["PATH"] == "$HOME/.cargo/bin:$PATH"
        assert table["macos"]["before-all"].endswith("minimal $RUSTUP_TOOLCHAIN")
        assert table["macos"]["environment"]["MACOSX_DEPLOYMENT_TARGET"] == "10.12"
        assert table["windows"]["before-all"].endswith("i686-pc-windows-msvc")
        for system in ("linux", "macos"):
            assert table[system]["inherit"] == {"environment": "append"}
            assert "--remap-path-prefix=" in table[system]["environment"]["CARGO_BUILD_RUSTFLAGS"]
        for override in table.get("overrides", []):
            assert override["inherit"] == {"environment": "append"}
            # cibuildwheel would run abi3audit, which does not know abi3t; the gate looks instead.
            assert override["audit-command"] == ""


LOCK_OF = {
    "release": "requirements.txt",
    "wheel": "wheel-requirements.txt",
    "lint": "lint-requirements.txt",
}


def test_tools_are_locked_with_hashes(render: Render) -> None:
    groups = tomllib.loads((render() / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    for group, file in LOCK_OF.items():
        lock = (PROJECT_FOLDER / "release" / file).read_text("utf-8")
        assert f"--group {group} " in lock.splitlines()[1]
        included = [tool["include-group"] for tool in groups[group] if isinstance(tool, dict)]
        wanted = sum((groups[name] for name in included), groups[group])
        for tool in (tool for tool in wanted if isinstance(tool, str)):
            name = re.split(r"[><=~]", tool)[0]
            assert re.search(rf"^{name}==[^\n]+\\\n +--hash=sha256:", lock, re.MULTILINE), name


def test_wheels_are_built_with_a_rust_that_may_build_them(render: Render) -> None:
    project = render()
    manifest = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    toolchain = manifest["tool"]["cibuildwheel"]["environment"]["RUSTUP_TOOLCHAIN"]
    oldest = tomllib.loads((project / "Cargo.toml").read_text("utf-8"))["package"]["rust-version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", toolchain)
    assert tuple(map(int, toolchain.split("."))) >= tuple(map(int, oldest.split(".")))
