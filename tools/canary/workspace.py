"""Where the canary works, build/canary/: how it runs commands and renders there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.machine import GIT, python_of, untied_environment
from tools.template import PROJECT_FOLDER, TEMPLATE

FOLDER = TEMPLATE / "build" / "canary"


def short_path(file: Path) -> str:
    """A file's path in the template, short: `project/` is the folder of the project."""
    name = (file.relative_to(TEMPLATE) if file.is_relative_to(TEMPLATE) else file).as_posix()
    return name.replace(PROJECT_FOLDER.name, "project")


def output_or_none(*command: str | Path, cwd: Path = TEMPLATE, **variables: str) -> str | None:
    """What a command prints, or None where it is missing, fails or takes longer than a minute."""
    try:
        answer = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=untied_environment() | {"GIT_TERMINAL_PROMPT": "0"} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


def succeeds(log: Path, *command: str | Path, cwd: Path, **variables: str) -> bool:
    """Run a command, its output to the end of a log; return whether it succeeded."""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(map(str, command))}\n")
        file.flush()
        return (
            subprocess.run(
                [str(word) for word in command],
                cwd=cwd,
                env=environment() | variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            ).returncode
            == 0
        )


def check_run(words: list[object]) -> None:
    """Run a command that must succeed: CalledProcessError where it does not."""
    command = [str(word) for word in words]
    subprocess.run(command, env=untied_environment() | GIT, check=True, capture_output=True)


def environment() -> dict[str, str]:
    """Variables for the trials: the newest tools first, nothing held back, no toolchain fetched."""
    tools = python_of(FOLDER / "tools").parent
    kept = {
        key: value
        for key, value in untied_environment().items()
        if not key.startswith(("NOX", "PYTEST", "UV_PROJECT", "UV_PYTHON", "VIRTUAL_ENV"))
        and not key.endswith(("_CONSTRAINT", "_BUILD_CONSTRAINT"))
    }
    return kept | {
        "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS": "allow",
        "CARGO_TARGET_DIR": str(FOLDER / "target"),
        "MATURIN_NO_INSTALL_RUST": "1",
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUTF8": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def render(backend: str, floor: str, folder: str, tools: Path | None = None) -> Path:
    """Render a project below build/canary/, in place of an earlier one; return its folder.

    It becomes a git repository, with one commit: the hook makes none inside of this one.
    """
    out = FOLDER / folder / f"{backend}-{floor}"
    shutil.rmtree(out, ignore_errors=True)
    project = out / "fast-doubles"
    cookiecutter = [tools or sys.executable, "-m", "cookiecutter", TEMPLATE, "--no-input"]
    options = ["--default-config", f"--output-dir={out}"]
    answers = [f"build_backend={backend}", f"python_floor={floor}"]
    check_run([*cookiecutter, *options, *answers])
    if not (project / ".git").exists():
        check_run(["git", "init", "--quiet", "--initial-branch=main", project])
        check_run(["git", "-C", project, "add", "--all"])
        check_run(["git", "-C", project, "commit", "--quiet", "--message=Start"])
    return project
