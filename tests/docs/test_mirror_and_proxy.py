"""docs/how-to/mirror-and-proxy.md: mirrors and proxies for every tool, on 127.0.0.1."""

import hashlib
import json
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cibuildwheel.options import CommandLineArguments, Options

from helpers.fixture_types import Render, Run
from helpers.local_index import LocalIndex
from helpers.pages import read
from helpers.small_wheels import make_tinylib
from tools.template import BACKENDS, TEMPLATE

PAGE = read("how-to/mirror-and-proxy.md")


class Mirror(LocalIndex):
    """An index that also serves crates, below /crates/; and a proxy that knows mirror.example.

    Attribute `proxied`: the addresses that were asked for as one asks a proxy.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.proxied: list[str] = []
        self.crates: dict[str, bytes] = {}

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("http://"):
            self.proxied.append(environ["PATH_INFO"])
            environ["PATH_INFO"] = re.sub(r"^http://[^/]+", "", environ["PATH_INFO"])
        if not environ["PATH_INFO"].startswith("/crates/"):
            return super().answer(environ, start)
        content = self.crates.get(environ["PATH_INFO"].removeprefix("/crates/"))
        start("404 Not Found" if content is None else "200 OK", [])
        return [content or b""]


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    mirror = Mirror(tmp_path / "mirror")
    with mirror:
        make_tinylib(mirror.folder)
        yield mirror


MIRROR, PROXY = "https://mirror.example/", "http://proxy.example:3128"
QUIET = {"PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1", "PIP_CONSTRAINT": "", "UV_NO_CACHE": "1"}


def at(variables: dict[str, str], mirror: Mirror) -> dict[str, str]:
    """The page's variables, with its addresses replaced by that on 127.0.0.1."""
    urls = {MIRROR: mirror.url, PROXY: mirror.url.rstrip("/")}
    changed = variables
    for url, here in urls.items():
        changed = {key: value.replace(url, here) for key, value in changed.items()}
    return {**changed, **QUIET}


INSTALLS = {
    "pip": ("-m", "pip", "install"),
    "uv": ("-m", "uv", "pip", "install"),
}


def install_locked(tool: str, digest: str, run: Run, folder: Path, **variables: str) -> str:
    """Install tinylib by a lock with a hash, into a folder; what the tool printed."""
    lock = folder / "lock.txt"
    lock.write_text(f"tinylib==1.0 --hash=sha256:{digest}\n")
    options = ("--require-hashes", f"--requirement={lock}", f"--target={folder / tool}")
    command = (sys.executable, *INSTALLS[tool], *options)
    return run(*command, cwd=folder, check=False, **variables).stdout


@pytest.mark.parametrize("tool", INSTALLS)
def test_python_tools_take_the_mirror_and_keep_to_the_lock(
    tool: str, mirror: Mirror, run: Run, tmp_path: Path
) -> None:
    variables = at(PAGE.exports("PIP_INDEX_URL"), mirror)
    (wheel,) = mirror.folder.glob("*.whl")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    refused = install_locked(tool, "0" * 64, run, tmp_path, **variables)
    assert re.search(r"(?i)hash(es)? .*mismatch|do not match|mismatch", refused), refused
    assert not (tmp_path / tool / "tinylib.py").exists()
    printed = install_locked(tool, right, run, tmp_path, **variables)
    assert (tmp_path / tool / "tinylib.py").exists(), printed


@pytest.mark.parametrize("tool", INSTALLS)
def test_python_tools_take_the_proxy(tool: str, mirror: Mirror, run: Run, tmp_path: Path) -> None:
    index = PAGE.exports("PIP_INDEX_URL")
    plain = {key: value.replace("https:", "http:") for key, value in index.items()}
    variables = at(PAGE.exports("HTTPS_PROXY"), mirror) | plain
    trust = {"PIP_TRUSTED_HOST": "mirror.example"}  # as it is not https here
    (wheel,) = mirror.folder.glob("*.whl")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    printed = install_locked(tool, right, run, tmp_path, **variables, **trust)
    assert (tmp_path / tool / "tinylib.py").exists(), printed
    assert f"http://mirror.example/packages/{wheel.name}" in mirror.proxied


@pytest.fixture
def crate(mirror: Mirror, run: Run, tmp_path: Path) -> Path:
    """A crate that depends on another one, which the mirror has; with the page's configuration."""
    tiny = tmp_path / "tinycrate"
    run("cargo", "new", "--quiet", "--vcs=none", "--lib", tiny, cwd=tmp_path)
    run("cargo", "package", "--quiet", "--no-verify", cwd=tiny, CARGO_TARGET_DIR=str(tiny / "out"))
    (packed,) = tiny.glob("out/package/*.crate")
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    entry = {"name": "tinycrate", "vers": "0.1.0", "deps": [], "cksum": digest}
    mirror.crates = {
        "config.json": json.dumps({"dl": f"{mirror.url}crates/files/{{crate}}"}).encode(),
        "ti/ny/tinycrate": json.dumps(entry | {"features": {}, "yanked": False}).encode(),
        "files/tinycrate": packed.read_bytes(),
    }
    user = tmp_path / "user"
    run("cargo", "new", "--quiet", "--vcs=none", "--lib", user, cwd=tmp_path)
    with (user / "Cargo.toml").open("a") as manifest:
        manifest.write('tinycrate = "0.1"\n')
    (user / ".cargo").mkdir()
    (configuration, _) = PAGE.blocks("toml")
    (user / ".cargo" / "config.toml").write_text(configuration.replace(MIRROR, mirror.url))
    return user


@pytest.mark.builds
def test_cargo_takes_the_mirror_and_the_lock_names_crates_io(
    crate: Path, mirror: Mirror, run: Run, tmp_path: Path
) -> None:
    home = {"CARGO_HOME": str(tmp_path / "cargo"), "RUSTUP_HOME": rustup_home(run, tmp_path)}
    run("cargo", "fetch", cwd=crate, **home)
    (package, _) = tomllib.loads((crate / "Cargo.lock").read_text())["package"]
    assert package["name"] == "tinycrate"
    rendered = TEMPLATE / "{{cookiecutter.project_slug}}" / "Cargo.lock"
    assert f'source = "{package["source"]}"' in rendered.read_text("utf-8")
    run("cargo", "check", "--locked", "--quiet", cwd=crate, **home)
    shutil.rmtree(tmp_path / "cargo")
    mirror.crates["files/tinycrate"] += b"another"
    refused = run("cargo", "fetch", "--locked", cwd=crate, check=False, **home)
    assert refused.returncode != 0
    assert "failed to verify the checksum" in refused.stdout


def test_cargo_takes_the_proxy(crate: Path, mirror: Mirror, run: Run, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        assert name in PAGE.exports("HTTPS_PROXY")
    configuration = crate / ".cargo" / "config.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace(mirror.url, "http://mirror.example/"))
    here = {"dl": "http://mirror.example/crates/files/{crate}"}
    mirror.crates["config.json"] = json.dumps(here).encode()
    home = {"CARGO_HOME": str(tmp_path / "cargo"), "RUSTUP_HOME": rustup_home(run, tmp_path)}
    proxy = at(PAGE.exports("HTTPS_PROXY"), mirror)
    for variables in (
        {"CARGO_HTTP_PROXY": proxy["CARGO_HTTP_PROXY"]},
        {"http_proxy": proxy["http_proxy"]},
    ):
        shutil.rmtree(tmp_path / "cargo", ignore_errors=True)
        mirror.proxied.clear()
        run("cargo", "fetch", cwd=crate, **home, **variables)
        assert "http://mirror.example/crates/files/tinycrate" in mirror.proxied


def rustup_home(run: Run, folder: Path) -> str:
    """Where the toolchains are, when cargo's own folder is elsewhere."""
    if shutil.which("rustup") is None:
        return ""
    return run("rustup", "show", "home", cwd=folder).stdout.strip()


@pytest.mark.parametrize("backend", BACKENDS)
def test_variables_reach_cibuildwheels_containers(
    backend: str, render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = render(build_backend=backend)
    (_, lines) = PAGE.blocks("toml")
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    variables = PAGE.exports("HTTPS_PROXY") | PAGE.exports("PIP_CERT")
    variables |= {"PIP_INDEX_URL": "https://mirror.example/simple/"}

    def inside(identifier: str) -> dict[str, str]:
        monkeypatch.chdir(project)
        arguments = CommandLineArguments.defaults()
        options = Options("linux", arguments, {"PATH": os.environ["PATH"], **variables})
        return options.build_options(identifier).environment.as_dictionary({"HOME": "", "PATH": ""})

    identifiers = [f"{abi}-manylinux_x86_64" for abi in ("cp311", "cp314t", "cp315t")]
    for identifier in identifiers:
        assert "HTTPS_PROXY" not in inside(identifier)  # so the page's lines are needed
    header = "[tool.cibuildwheel.linux]\n"
    assert text.count(header) == 1
    manifest.write_text(text.replace(header, header + lines), "utf-8")
    for identifier in identifiers:
        environment = inside(identifier)
        assert {key: environment.get(key) for key in variables} == variables
        assert "RUSTUP_DIST_SERVER" not in environment
        assert "--remap-path-prefix" in environment["CARGO_BUILD_RUSTFLAGS"]
