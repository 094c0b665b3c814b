"""Compares projects with the release of the template that each was rendered from.

`nox -s compare -- PROJECT...` prints one table. A project says in `.template.json` which release
that was, and with which answers; the release is rendered again, from this repository's tag, and the
files that the template copies byte for byte are compared. Only a temporary folder is written to.
"""

import argparse
import fnmatch
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from cookiecutter.exceptions import CookiecutterException, FailedHookException
from jinja2 import Template

from tools.machine import untied_environment
from tools.rendering import rendered
from tools.template import TEMPLATE

RECORD = ".template.json"
# project, release, file, state
Row = tuple[str, str, str, str]

# Copied byte for byte too, but meant to be replaced: the sample.
SAMPLE = (
    "rust/kernel.rs",
    "rust/python.rs",
    "rust/python/sample_text.rs",
    "python/*/_native.pyi",
    "python/*/__init__.py",
    "tests/reference.py",
)
# Copied byte for byte, and written again where a project has crates of its own.
WRITTEN = ("THIRD-PARTY-LICENSES.txt",)


class CannotCompare(Exception):
    """A project that cannot be compared; says why, and what to do."""


def record(project: Path) -> tuple[str, dict[str, str]]:
    """Read which release a project was rendered from.

    Args:
        project: the project's folder, a Path.

    Returns:
        The version of the template, a str such as "1.0.0", and the answers: key to str.

    Raises:
        CannotCompare: the record is missing, or is none.
    """
    file = project / RECORD
    try:
        content = json.loads(file.read_text("utf-8"))
        version, answers = content["version"], content["answers"]
        if not isinstance(version, str) or not all(
            isinstance(word, str) for item in answers.items() for word in item
        ):
            raise ValueError
    except FileNotFoundError:
        raise CannotCompare(f"no {RECORD}: is it rendered from this template?") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CannotCompare(f"{RECORD} is not as rendered: git log -- {RECORD}") from None
    return version, answers


def git(template: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the template's repository; return the process, its output in bytes.

    Raises:
        CannotCompare: git cannot be started.
    """
    try:
        return subprocess.run(
            ["git", *arguments], cwd=template, env=untied_environment(), capture_output=True
        )
    except OSError as error:
        raise CannotCompare(f"git cannot be started: {error}") from None


def reason(said: bytes) -> str:
    """Return the last error in what git said, bytes, with its advice; or the last line."""
    lines = said.decode(errors="replace").strip().splitlines() or ["nothing"]
    errors = [n for n, line in enumerate(lines) if line.startswith(("fatal:", "error:"))]
    start = errors[-1] if errors else len(lines) - 1
    return " ".join(" ".join(lines[start : start + 4]).split())


def unpack(template: Path, release: str, folder: Path) -> None:
    """Unpack one commit of the template's repository into a folder.

    Raises:
        CannotCompare: the repository has no such tag or commit, or git cannot read it.
    """
    if release.startswith("-"):
        raise CannotCompare(f"{release!r} is no tag or commit")
    archive = git(template, "archive", "--format=zip", release)
    if archive.returncode:
        # 1 where there is none; 128 where git cannot say.
        search = ("rev-parse", "--verify", "--quiet", f"{release}^{{tree}}")
        if git(template, *search).returncode == 1:
            raise CannotCompare(
                f"the template's repository has no {release!r}: git fetch --tags, "
                "or name one with --with"
            )
        raise CannotCompare(f"git cannot read {template}. It said: {reason(archive.stderr)}")
    with zipfile.ZipFile(io.BytesIO(archive.stdout)) as files:
        files.extractall(folder)


def release_of(version: str) -> str:
    """The tag of a version; HEAD where it was rendered between two releases ("1.1.0.dev0")."""
    return "HEAD" if version.endswith(".dev0") else f"v{version}"


def rendering(template: Path, answers: dict[str, str], folder: Path) -> dict[str, bytes]:
    """Render an unpacked release; return the files that are copied byte for byte.

    The record is another's, so the release's own hook judges the answers before a file is written:
    a package name such as "../../home" would lead out of the folder. The other hook is deleted.

    Args:
        template: the unpacked release, a Path.
        answers: key to str.
        folder: where to render, a Path.

    Returns:
        Path in the project, a str with "/", to content, bytes.

    Raises:
        CannotCompare: the release refuses one of the answers, or would execute them.
    """
    questions = json.loads((template / "cookiecutter.json").read_text("utf-8"))
    if not questions.get("_extensions"):
        raise CannotCompare(
            "that commit would run Jinja in the answers: name a later one with --with"
        )
    for key, answer in answers.items():
        choices = None if key.startswith("_") else questions.get(key)
        if choices is None or (isinstance(choices, list) and answer not in choices):
            raise CannotCompare(f"that release takes no {key} {answer!r}: {RECORD} was edited")
    # The other hook would make a git repository.
    (template / "hooks" / "post_gen_project.py").unlink(missing_ok=True)
    try:
        project = rendered(template, answers, folder)
    except FailedHookException:
        raise CannotCompare(f"that release refuses an answer in {RECORD}, as said above") from None
    except (CookiecutterException, OSError) as error:
        raise CannotCompare(f"that release cannot be rendered with {answers}: {error}") from None
    files = {}
    (source,) = template.glob("{{*")
    for file in filter(Path.is_file, source.rglob("*")):
        name = file.relative_to(source).as_posix()
        if any(fnmatch.fnmatch(name, glob) for glob in questions["_copy_without_render"]):
            name = Template(name).render(cookiecutter=answers)
            files[name] = (project / name).read_bytes()
    return files


def differences(project: Path, files: dict[str, bytes]) -> dict[str, str]:
    """Say in which files a project differs.

    Args:
        project: its folder, a Path.
        files: as `rendering` returns them.

    Returns:
        Path to "changed" or "missing", in order.
    """
    found = {}
    for name, content in sorted(files.items()):
        file = project / name
        if not file.is_file():
            found[name] = "missing"
        elif file.read_bytes() != content:
            found[name] = "changed"
    return found


def table(rows: list[Row]) -> str:
    """Lay out rows of str, the first one the titles, in columns; return one str."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [rows[0], ["-" * width for width in widths], *rows[1:]]
    ]
    return "\n".join(lines)


def compare(
    projects: list[Path],
    template: Path = TEMPLATE,
    release: str | None = None,
    everything: bool = False,
) -> tuple[list[Row], int]:
    """Compare projects with the releases they come from.

    Args:
        projects: their folders, Paths.
        template: the template's git repository, a Path.
        release: a tag or commit to compare all of them with, a str; or None.
        everything: whether the files of the sample count too.

    Returns:
        Rows of four str (project, release, file, state), and how many could not be compared.
    """
    rows, failures = [], 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        unpacked = {}
        for number, project in enumerate(projects):
            version = "?"
            try:
                version, answers = record(project)
                reference = release or release_of(version)
                if reference not in unpacked:
                    folder = Path(temporary, f"release-{number}")
                    unpack(template, reference, folder)
                    unpacked[reference] = folder
                files = rendering(unpacked[reference], answers, Path(temporary, str(number)))
            except CannotCompare as reason:
                failures += 1
                rows.append((project.name, version, "", f"NOT compared: {reason}"))
                continue
            found = {
                name: state
                for name, state in differences(project, files).items()
                if everything or not any(fnmatch.fnmatch(name, glob) for glob in SAMPLE + WRITTEN)
            }
            shown = version if reference == f"v{version}" else f"{version} ({reference})"
            rows += [(project.name, shown, name, state) for name, state in found.items()] or [
                (project.name, shown, "", "as released")
            ]
    return rows, failures


def main(words: list[str] | None = None) -> int:
    """Print the table; return the exit status: 1 if a project could not be compared."""
    parser = argparse.ArgumentParser(
        "nox -s compare --", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT")
    parser.add_argument("--with", dest="release", help="a tag or commit, instead of the recorded")
    parser.add_argument("--all", action="store_true", help="the files of the sample too")
    options = parser.parse_args(words)
    projects = [project.resolve() for project in options.projects]
    rows, failures = compare(projects, release=options.release, everything=options.all)
    # A folder's name may hold letters that the output cannot.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(table([("project", "template", "file", "state"), *rows]))
    differing = {row[0] for row in rows if row[3] in ("changed", "missing")}
    print(f"\n{len(projects)} projects, {len(differing)} differ, {failures} could not be compared.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
