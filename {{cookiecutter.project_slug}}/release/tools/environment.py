"""What a step of a release sees of this machine: the variables of environment.txt, and no others.

A runner of CI is a machine without your settings. So are the programs here: what would change a
build, an installation or the place that git works in is taken away before anything is run.
"""

import ast
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[1] / "environment.txt"


def passed(file: Path = ENVIRONMENT) -> list[str]:
    """The names and patterns of environment.txt. Exits with a sentence if it cannot be read."""
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{file.parent.name}/{file.name} cannot be read: {error}")
    return [name for line in lines for name in line.partition("#")[0].split()]


def left_out() -> list[str]:
    """The names of the variables that are set and not listed."""
    patterns = passed()
    return sorted(
        name
        for name in os.environ
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    )


def clean() -> list[str]:
    """Take every variable away from this process that is not listed; return their names.

    What this process prints does not fail for want of a letter in the terminal's encoding, and
    neither does what it starts.
    """
    names = left_out()
    for name in names:
        del os.environ[name]
    os.environ["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return names


def package_sources() -> dict[str, str]:
    """Variables that tell pip where packages come from, and that keep its other settings out.

    A mirror may be set in one of pip's files, next to `user = true` or a `target`, which would
    install to another place than a user's pip. So the files are read once, and then passed over.
    """
    listed = call(sys.executable, "-m", "pip", "config", "list").stdout.splitlines()
    found = {"PIP_CONFIG_FILE": os.devnull}
    names = passed()
    # The command line of `pip config` has no JSON; a line is `section.key='value'`.
    pattern = r"(global|install|:env:)\.([\w-]+)=(.*)"
    settings = [match.groups() for line in listed if (match := re.fullmatch(pattern, line))]
    for section in ("global", "install", ":env:"):  # the later ones win
        for _, key, value in (setting for setting in settings if setting[0] == section):
            name = f"PIP_{key.upper().replace('-', '_')}"
            if name in names and name != "PIP_CONFIG_FILE":
                found[name] = str(ast.literal_eval(value))
    return found


class Failed(Exception):
    """A step failed; the text says why, and `advice` what to do where that is known."""

    def __init__(self, text: str, advice: str = "") -> None:
        super().__init__(text)
        self.advice = advice


def call(
    *command: str | Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in silence, without input.

    Args:
        command: The program and its arguments.
        cwd: The folder to run it in; this one without.
        variables: What is added to the environment of this process.

    Returns:
        The process, with what it printed. Its status is 127 if there is no such program, and 126 if
        it does not start.
    """
    words = [str(word) for word in command]
    program = shutil.which(words[0])
    if program is None:
        return subprocess.CompletedProcess(words, 127, "", f"{words[0]} is not installed")
    try:
        return subprocess.run(
            [program, *words[1:]],
            cwd=cwd,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        return subprocess.CompletedProcess(words, 126, "", str(error))


def said(process: subprocess.CompletedProcess[str]) -> str:
    """All that a process printed: its own words for why it failed."""
    return f"{process.stdout.strip()}\n{process.stderr.strip()}".strip()


def run(cwd: Path, *command: str | Path, **variables: str) -> str:
    """Run a command that has to succeed; return its standard output, stripped.

    Raises:
        Failed: it did not; the text is all that it printed, and the command.
    """
    process = call(*command, cwd=cwd, **variables)
    if process.returncode:
        words = " ".join(map(str, command))
        raise Failed(f"{said(process)}\n{words} ended with {process.returncode}")
    return process.stdout.strip()
