"""Two projects that exist already, as others lay them out, without the template's files."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tools.machine import GIT
from tools.template import PROJECT_FOLDER, PYO3

LIB = """\
use pyo3::prelude::*;

#[pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pyfunction]
    fn vowels(text: &str) -> usize {
        text.chars().filter(|letter| "aeiou".contains(*letter)).count()
    }
}
"""
CARGO = """\
[package]
name = "your_crate"
version = "1.4.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
pyo3 = { version = "PYO3", features = ["abi3-py311"] }
"""
TEST = """\
from your_package import vowels


def test_vowels():
    assert vowels("aardvark") == 3
"""
COMMON = {
    "LICENSE": "MIT\n",
    "README.md": "# Your Package\n\nCounts vowels.\n",
    ".gitignore": "__pycache__/\ntarget/\n*.egg-info/\n.nox/\n",
    "checks/test_vowels.py": TEST,
    "crate/Cargo.toml": CARGO.replace("PYO3", PYO3),
    "crate/src/lib.rs": LIB,
}
# The version stands in Cargo.toml, the Python sources below src/, the crate in a subfolder.
MATURIN = COMMON | {
    "src/your_package/__init__.py": "from ._core import vowels as vowels\n",
    "pyproject.toml": """\
[build-system]
requires = ["maturin>=1.16,<2"]
build-backend = "maturin"

[project]
name = "your-package"
dynamic = ["version"]
description = "Counts vowels."
readme = "README.md"
requires-python = ">=3.11"
license = "MIT"
license-files = ["LICENSE"]

[tool.maturin]
manifest-path = "crate/Cargo.toml"
module-name = "your_package._core"
python-source = "src"
""",
}
# All is in setup.cfg, the version in the package; pyproject.toml has no [project].
SETUPTOOLS = COMMON | {
    "src/your_package/__init__.py": """\
__version__ = "1.4.0"


def vowels(text):
    from ._core import vowels

    return vowels(text)
""",
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=80", "setuptools-rust>=1.12"]
build-backend = "setuptools.build_meta"
""",
    "setup.cfg": """\
[metadata]
name = your-package
version = attr: your_package.__version__
description = Counts vowels.
long_description = file: README.md
long_description_content_type = text/markdown
license_expression = MIT
license_files = LICENSE

[options]
python_requires = >=3.11
package_dir =
    = src
packages = find:

[options.packages.find]
where = src

[bdist_wheel]
py_limited_api = cp311
""",
    "setup.py": """\
from setuptools import setup
from setuptools_rust import RustExtension

setup(rust_extensions=[RustExtension("your_package._core", "crate/Cargo.toml", debug=False)])
""",
}
LAYOUTS = {"maturin": MATURIN, "setuptools-rust": SETUPTOOLS}

# All is in setup.py, the crate is the root, git ignores the lock, tags have no `v`, and a workflow
# uploads on a tag.
FLAT = {
    "LICENSE": "MIT\n",
    "README.md": "# Your Package\n\nCounts vowels.\n",
    ".gitignore": "__pycache__/\n/target/\nCargo.lock\n*.egg-info/\n.nox/\n",
    "checks/test_vowels.py": TEST,
    "Cargo.toml": CARGO.replace("PYO3", PYO3).replace(', features = ["abi3-py311"]', ""),
    "src/lib.rs": LIB.replace("mod _core", "mod your_package"),
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=42", "wheel", "setuptools_rust"]
build-backend = "setuptools.build_meta"
""",
    "setup.cfg": """\
[options]
python_requires = >=3.9

[metadata]
license_files = LICENSE
""",
    "setup.py": """\
from setuptools import setup
from setuptools_rust import Binding, RustExtension

setup(
    name="your-package",
    version="1.4.0",
    description="Counts vowels.",
    long_description=open("README.md").read(),
    long_description_content_type="text/markdown",
    rust_extensions=[RustExtension("your_package", "Cargo.toml", binding=Binding.PyO3)],
)
""",
    ".github/workflows/wheels.yml": """\
on:
  push:
    tags: ["*.*.*"]
jobs:
  wheels:
    runs-on: ubuntu-latest
    steps:
      - run: twine upload dist/*
""",
}


def write_layout(
    folder: Path, backend: str, run: Callable[..., subprocess.CompletedProcess[str]]
) -> Path:
    """Write the project of a backend into a folder, as a repository with one commit."""
    for name, text in LAYOUTS[backend].items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    # The versions of the template's own lock, for a crate of another name.
    lock = (PROJECT_FOLDER / "Cargo.lock").read_text("utf-8")
    lock = re.sub(r'"_{{.*?}}_native"\nversion = "0.0.0"', '"your_crate"\nversion = "1.4.0"', lock)
    (folder / "crate" / "Cargo.lock").write_text(lock, "utf-8")
    run("cargo", "metadata", "--format-version=1", cwd=folder / "crate")  # drops what is not used
    return commit(folder, run)


def write_flat_layout(folder: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """Write FLAT into a folder, as a repository with one commit and a tag, 1.4.0."""
    for name, text in FLAT.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    commit(folder, run)
    run("git", "tag", "1.4.0", cwd=folder)
    return folder


def commit(folder: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """Make a repository with one commit of a folder."""
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message=Start", cwd=folder, **GIT)
    return folder
