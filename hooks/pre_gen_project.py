"""Refuses answers that would not make a working project, and to overwrite one that is there.

Runs in the project's folder, before any file is written. Where it refuses, cookiecutter removes the
folder if it has just made it, and leaves one alone that was there.
"""

import json
import keyword
import re
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# The answers are data: JSON in a raw string, in which cookiecutter's `tojson` leaves no quote.
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def words(text: str) -> set[str]:
    """The words of a text."""
    return set(text.split())


# Modules that are installed with every rendered project when it is built and tested, the names
# that its own files have, and numpy, whose parts Hypothesis wants as soon as one is imported.
TAKEN = words("""
    _distutils_hack _hypothesis_ftz_detector _hypothesis_globals _hypothesis_pytestplugin
    _native _pytest _virtualenv argcomplete ast_serialize attr attrs build colorama colorlog
    conftest cpuinfo dependency_groups distlib filelock humanize hypothesis iniconfig installer
    librt maturin mypy mypy_extensions mypyc native nox noxfile numpy packaging pathspec pip
    platformdirs pluggy properties py pygments pyproject_hooks pytest pytest_benchmark python
    python_discovery reference release ruff rust sample_text semantic_version setup setuptools
    setuptools_rust sortedcontainers test test_packaging test_properties test_sample_text tests
    typing_extensions uv virtualenv wheel
""")

# What the standard library has or had on 3.11 and newer, wherever this hook runs.
STANDARD = set(sys.stdlib_module_names) | words("""
    aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils
    imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes profiling smtpd sndhdr spwd
    sunau telnetlib uu xdrlib
""")

# Imported by every Python that starts, if they exist.
CUSTOM = {"sitecustomize", "usercustomize"}

# File names that Windows keeps for devices, with any extension.
DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}

# Control characters, line and paragraph separators, lone surrogates.
BREAKS = {"Cc", "Zl", "Zp", "Cs"}

# A name on PyPI: https://packaging.python.org/specifications/name-normalization/
SLUG = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
PACKAGE = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
# RFC 5322's dot-atom. setuptools refuses what is not ASCII before the '@', and a domain without a
# dot.
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
LABEL = r"[^\s@\"\\<>(),:;\[\].]+"
EMAIL = re.compile(rf"(?a:{ATOM}(\.{ATOM})*)@{LABEL}(\.{LABEL})+")
OWNER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-?", re.ASCII | re.IGNORECASE)


def holds_breaks(answer: str) -> bool:
    """Whether an answer holds a character that breaks a line, a file or an encoding."""
    return any(unicodedata.category(character) in BREAKS for character in answer)


def longer_than(most: int) -> Callable[[str], bool]:
    """A rule that refuses answers of more characters."""
    return lambda answer: len(answer) > most


def unlike(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """A rule that refuses answers that a pattern does not match as a whole."""
    return lambda answer: not pattern.fullmatch(answer)


def module_of(slug: str) -> str:
    """The name to import that a slug would have, as other projects make it."""
    return re.sub("[-_.]+", "_", slug).lower()


def is_keyword(package: str) -> bool:
    """Whether Python reads a name as a keyword, everywhere or in some places."""
    return keyword.iskeyword(package) or keyword.issoftkeyword(package)


def is_dunder(package: str) -> bool:
    """Whether a name begins and ends with two underscores, as Python's own do."""
    return package.startswith("__") and package.endswith("__")


TOO_LONG = "use at most 64 characters: file names must not become too long"
OF_THE_TOOLS = "the project's own tools or files have that name, choose another"
OF_WINDOWS = "Windows keeps that name for a device, choose another"
OF_PYTHON = "Python keeps that name for itself, choose another"

# What makes an answer a bad one, and what the user is told: the first rule of a question that
# refuses an answer gives the reason.
Rule = tuple[Callable[[str], bool], str]
ONE_LINE: list[Rule] = [
    (lambda answer: not answer.strip(), "it is empty, give one line of text"),
    (holds_breaks, "give one line of text, without control characters"),
    (lambda answer: answer != answer.strip(), "leave out the space at its beginning or end"),
]
RULES: dict[str, list[Rule]] = {
    "project_name": ONE_LINE,
    "project_slug": [
        (
            unlike(SLUG),
            "a name on PyPI is made of ASCII letters, digits, '-', '_' and '.', and begins and "
            "ends with a letter or digit",
        ),
        (longer_than(64), TOO_LONG),
        (lambda slug: module_of(slug) in TAKEN, OF_THE_TOOLS),
        (
            lambda slug: module_of(slug) in STANDARD,
            "PyPI takes no project with the name of a module of Python's standard library, choose "
            "another",
        ),
        (lambda slug: slug.split(".")[0].lower() in DEVICES, OF_WINDOWS),
    ],
    "package_name": [
        (
            unlike(PACKAGE),
            "a name to import is made of lower-case ASCII letters, digits and '_', and does not "
            "begin with a digit",
        ),
        (longer_than(64), TOO_LONG),
        (is_keyword, "that is a keyword of Python, choose another name"),
        (
            STANDARD.__contains__,
            "Python's standard library has a module of that name, choose another",
        ),
        (TAKEN.__contains__, OF_THE_TOOLS),
        (DEVICES.__contains__, OF_WINDOWS),
        (lambda package: not package.strip("_"), "use a letter too"),
        (CUSTOM.__contains__, OF_PYTHON),
        (is_dunder, OF_PYTHON),
    ],
    "description": [
        *ONE_LINE,
        # PyPI's rule for the field Summary: it would refuse the upload, after the tag.
        (longer_than(512), "PyPI takes 512 characters, README.md has room for more"),
    ],
    "author_name": ONE_LINE,
    "author_email": [
        (
            lambda address: holds_breaks(address) or not EMAIL.fullmatch(address),
            "give a plain address such as name@example.com",
        ),
    ],
    "github_owner": [
        (
            lambda owner: len(owner) > 39 or not OWNER.fullmatch(owner),
            "a GitHub user or organisation has at most 39 ASCII letters, digits and single '-', "
            "without the '@'",
        ),
    ],
}


def in_the_way(folder: Path, rendered: list[str]) -> Iterator[str]:
    """Say what a rendering would overwrite in a folder that was there before.

    With -f cookiecutter overwrites in silence, and with -f -s too it deletes whatever else lies in
    the folders that it copies as they are, such as .github/workflows. A hook is not told of either.

    Args:
        folder: the folder.
        rendered: the names that a rendering has in its folder.

    Yields:
        One sentence, if something is in the way.
    """
    names = {name.lower() for name in rendered}  # some file systems do not tell them apart
    found = sorted(path.name for path in folder.iterdir() if path.name.lower() in names)
    if found:
        yield (
            f"{folder.resolve()} holds {', '.join(found)} already, and would lose them: "
            "nothing was changed. Render into another folder, and copy what you want "
            "(the template's docs/how-to/existing-crate.md); or move them away. With "
            "--accept-hooks=no cookiecutter does not ask, and overwrites them."
        )


def package_made_from(slug: str) -> str:
    """The name to import that cookiecutter.json makes from a slug."""
    prefix = "py" if slug[:1].isdigit() else ""
    name = slug.lower().replace("-", "_").replace(".", "_")
    return f"{prefix}{name}"[:64]


def reason_against(question: str, answer: str) -> str | None:
    """Say why an answer is a bad one; None where it is a good one."""
    return next((reason for refuses, reason in RULES[question] if refuses(answer)), None)


def shown(answer: str) -> str:
    """An answer as it is shown in a sentence: a long one is cut."""
    if len(answer) <= 128:
        return repr(answer)
    return f"{answer[:40]!r}... and {len(answer)} characters long"


def complaints(answers: Mapping[str, object]) -> Iterator[str]:
    """Say what is wrong with the answers.

    Args:
        answers: each question's key and the answer.

    Yields:
        One sentence for each bad answer: the answer, the rule, what to do.
    """
    texts = {key: answer for key in RULES if isinstance(answer := answers[key], str)}
    for key in RULES:
        if key not in texts:
            yield f"{key} is {answers[key]!r}, which is no text: put it in quotes."
    if len(texts) < len(RULES):
        return

    reasons = {key: reason_against(key, answer) for key, answer in texts.items()}
    # One sentence is enough for a bad slug and the name that is made from it.
    if reasons["project_slug"] and texts["package_name"] == package_made_from(
        texts["project_slug"]
    ):
        reasons["package_name"] = None
    for key, reason in reasons.items():
        if reason:
            yield f"{key} is {shown(texts[key])}: {reason}."


def command_with_good_answers(answers: Mapping[str, object]) -> str:
    """The command that starts again with every answer that was a good one.

    Args:
        answers: each question's key and the answer; below `_template`, what cookiecutter was given.

    Returns:
        A line for the user's shell. Names that are made of a refused one are left out.
    """
    good = {
        key: answer
        for key, answer in answers.items()
        if isinstance(answer, str)
        and not key.startswith("_")
        and not (key in RULES and reason_against(key, answer))
    }
    if good.get("package_name") == package_made_from(str(answers["project_slug"])):
        del good["package_name"]
    words = [str(answers["_template"]), *(f"{key}={answer}" for key, answer in good.items())]
    quoted = subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
    return f"cookiecutter {quoted}"


def main() -> int:
    """Print the complaints, if there are any; return the exit status."""
    refused = list(complaints(ANSWERS))
    found = [*refused, *in_the_way(Path(), ANSWERS["_project_files"])]
    for complaint in found:
        print(f"cookiecutter-pyo3-wheel: {complaint}", file=sys.stderr)
    if refused and "_commit" not in ANSWERS:  # cruft takes answers in another way
        print(
            "Nothing was made. To keep your other answers, type this, and press Enter at each "
            f"question that is not named above:\n\n    {command_with_good_answers(ANSWERS)}\n",
            file=sys.stderr,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
