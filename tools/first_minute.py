"""Makes docs/first-minute.svg, a picture of a terminal, from a real run: `nox -s first-minute`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from tools.template import TEMPLATE

PICTURE = TEMPLATE / "docs" / "first-minute.svg"
COLUMNS = 72  # not wider, so that it can be read on a telephone

# What a reader types, and what is run here for it: this template, and programs that are installed.
CODE = 'from fast_doubles import count_doubles\nprint(count_doubles("hello, aardvark"))'
TYPED = {
    "uvx cookiecutter ./cookiecutter-pyo3-wheel": (
        *("cookiecutter", str(TEMPLATE), "--no-input", "--default-config"),
    ),
    "cd fast-doubles": (),
    "uvx nox": ("nox",),
    f"uv run python -c '\n{CODE}'": ("uv", "run", "--quiet", "python", "-c", CODE),
}
# Of what a program prints, the lines that are shown: the first one of cookiecutter, and how each
# session of nox ended. How long it took depends on the machine, and is left out.
SHOWN = re.compile(r"^(?:.* is ready\. .*|nox > \* .*?(?=, took|$)|\d+$)")


def printed_by(command: tuple[str, ...], folder: Path) -> list[str]:
    """The lines that a command prints. Raises CalledProcessError if it fails."""
    program = shutil.which(command[0])
    if program is None:
        sys.exit(f"{command[0]} is not installed: start this with `nox -s first-minute`")
    run = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return run.stdout.strip().splitlines()


def coloured(line: str) -> Text:
    """A line as a terminal shows it: what is typed in bold, what went well in green."""
    text = Text(line)
    text.highlight_regex(r"(?s)^\$ .*", "bold")
    text.highlight_regex(r"success$", "green")
    text.highlight_regex(r"skipped.*$", "yellow")
    text.highlight_regex(r"^nox > ", "cyan")
    return text


def main() -> None:
    """Type all commands, and draw what they print."""
    console = Console(record=True, width=COLUMNS, file=sys.stderr, force_terminal=True)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for typed, command in TYPED.items():
            console.print(coloured("$ " + typed.replace("\n", "\n> ")), highlight=False)
            if not command:
                folder = folder / typed.removeprefix("cd ")
                continue
            for line in printed_by(command, folder):
                if shown := SHOWN.match(line):
                    console.print(coloured(shown[0]), highlight=False)
    # Without the web fonts: a picture fetches nothing.
    drawing = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title=""), flags=re.S)
    lines = [line.rstrip() for line in drawing.splitlines()]
    PICTURE.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


if __name__ == "__main__":
    main()
