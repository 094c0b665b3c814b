"""What this machine offers: its interpreters, and git without ties to another repository."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

# Who commits, whatever the machine's own settings are.
GIT = {
    "GIT_AUTHOR_NAME": "A. U. Thor",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "A. U. Thor",
    "GIT_COMMITTER_EMAIL": "author@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def tied_to_a_repository() -> set[str]:
    """The variables with which git ties its hooks and aliases to one repository.

    The settings among them are not meant: CI marks folders as safe with these.
    """
    command = ["git", "rev-parse", "--local-env-vars"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return set(listed) - {"GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"}


def untied_environment() -> dict[str, str]:
    """This process' variables, without those that tie git to a repository."""
    tied = tied_to_a_repository()
    return {name: value for name, value in os.environ.items() if name not in tied}


@cache
def pythons() -> dict[str, str]:
    """The interpreters on the PATH: minor version ("3.11") to the executable's path."""
    from tools.template import PYTHONS  # which asks this module for git's variables

    question = "import sys; print(sys.executable)"
    found = {}
    for version in PYTHONS:
        # pyenv has a command for every version, which fails for those not switched on.
        if command := shutil.which(f"python{version}"):
            answer = subprocess.run([command, "-c", question], capture_output=True, text=True)
            if answer.returncode == 0:
                found[version] = answer.stdout.strip()
    found.setdefault(f"3.{sys.version_info.minor}", sys._base_executable)  # type: ignore[attr-defined]
    return found


def oldest_python() -> str:
    """The version ("3.11") of the oldest interpreter on the PATH."""
    return min(pythons(), key=lambda version: int(version.split(".")[1]))


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    windows = sys.platform == "win32"
    return environment / "Scripts" / "python.exe" if windows else environment / "bin" / "python"
