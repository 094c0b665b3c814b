"""Runs the tests against the installed package, away from its sources, as cibuildwheel does.

Usage: python release/tools/run_tests.py

What, and how, says pyproject.toml: `test-sources` and `test-command` of [tool.cibuildwheel].
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # before 3.11; pip, which has installed the package, brings one along
    from pip._vendor import tomli as tomllib  # type: ignore[no-redef]


def main() -> None:
    """Run them with the Python that runs this. Exits with the status of the test command."""
    file = Path("pyproject.toml")
    if not file.exists():
        sys.exit(f"{file} is missing: start this in the project's folder, or in an unpacked sdist")
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: {error}")
    settings = table.get("tool", {}).get("cibuildwheel", {})
    command, sources = settings.get("test-command"), settings.get("test-sources", [])
    if not command:
        sys.exit("pyproject.toml: [tool.cibuildwheel] has no test-command, so nothing is tested")
    # cibuildwheel takes a text or a list for either.
    command = command if isinstance(command, str) else " && ".join(command)
    sources = sources.split() if isinstance(sources, str) else sources
    for placeholder in ("{project}", "{package}"):
        command = command.replace(placeholder, str(Path.cwd()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    folder = tempfile.mkdtemp()
    try:
        for source in sources:
            copy = Path(folder, source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if Path(source).is_dir():
                shutil.copytree(source, copy, symlinks=True, dirs_exist_ok=True)
            elif Path(source).exists():
                shutil.copy(source, copy)
            else:
                sys.exit(f"pyproject.toml: test-sources names {source!r}, which does not exist")
        environment = os.environ | {"PATH": path}
        status = subprocess.run(command, shell=True, cwd=folder, env=environment).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Windows deletes no library that is in use
    sys.exit(status)


if __name__ == "__main__":
    main()
