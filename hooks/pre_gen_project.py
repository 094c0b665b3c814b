"""Refuses answers that would not make a working project, and to overwrite one that is there.

Runs in the project's folder, before any file is written. Where it refuses, cookiecutter removes the
folder if it has just made it, and leaves one alone that was there.
"""

import json
import keyword
import re
import sys
import unicodedata
from pathlib import Path

# The answers are data: JSON in a raw string, in which cookiecutter's `tojson` leaves no quote.
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

ONE_LINE = ("project_name", "description", "author_name")

FREE_TEXT = (
    "project_name",
    "project_slug",
    "package_name",
    "description",
    "author_name",
    "author_email",
    "github_owner",
)

# Control characters, line and paragraph separators, lone surrogates.
BREAKS = {"Cc", "Zl", "Zp", "Cs"}

# Modules that are installed beside every rendered project when it is built and tested, the names
# that its own files have, and numpy, whose parts Hypothesis wants as soon as one is imported.
TAKEN = {
    "_distutils_hack",
    "_hypothesis_ftz_detector",
    "_hypothesis_globals",
    "_hypothesis_pytestplugin",
    "_native",
    "_pytest",
    "_virtualenv",
    "argcomplete",
    "ast_serialize",
    "attr",
    "attrs",
    "build",
    "colorama",
    "colorlog",
    "conftest",
    "cpuinfo",
    "dependency_groups",
    "distlib",
    "filelock",
    "humanize",
    "hypothesis",
    "iniconfig",
    "librt",
    "maturin",
    "mypy",
    "mypy_extensions",
    "mypyc",
    "native",
    "nox",
    "noxfile",
    "numpy",
    "packaging",
    "pathspec",
    "pip",
    "platformdirs",
    "pluggy",
    "properties",
    "py",
    "pygments",
    "pyproject_hooks",
    "pytest",
    "pytest_benchmark",
    "python",
    "python_discovery",
    "reference",
    "release",
    "ruff",
    "rust",
    "semantic_version",
    "setup",
    "setuptools",
    "setuptools_rust",
    "sortedcontainers",
    "test",
    "test_packaging",
    "test_properties",
    "tests",
    "typing_extensions",
    "uv",
    "virtualenv",
}

# What the standard library has or had on 3.11 and newer, wherever this hook runs.
STANDARD = sys.stdlib_module_names | {
    "aifc",
    "annotationlib",
    "asynchat",
    "asyncore",
    "audioop",
    "cgi",
    "cgitb",
    "chunk",
    "compression",
    "crypt",
    "distutils",
    "imghdr",
    "imp",
    "lib2to3",
    "mailcap",
    "msilib",
    "nis",
    "nntplib",
    "ossaudiodev",
    "pipes",
    "profiling",
    "smtpd",
    "sndhdr",
    "spwd",
    "sunau",
    "telnetlib",
    "uu",
    "xdrlib",
}

# Imported by every Python that starts, if they exist.
CUSTOM = {"sitecustomize", "usercustomize"}

# File names that Windows keeps for devices, with any extension.
DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}

# What a rendering has in its folder, in lower case.
RENDERED = {
    ".bumpversion.cfg",
    ".cargo",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".template.json",
    "cargo.lock",
    "cargo.toml",
    "changelog.md",
    "license",
    "license-apache",
    "license-mit",
    "noxfile.py",
    "pyproject.toml",
    "python",
    "readme.md",
    "release",
    "rust",
    "setup.py",
    "tests",
}


def in_the_way(folder):
    """Say what a rendering would overwrite in a folder that was there before.

    With -f cookiecutter overwrites in silence, and with -f -s too it deletes whatever else lies in
    the folders that it copies as they are, such as .github/workflows. A hook is not told of either.

    Args:
        folder: Path of the folder.

    Yields:
        One sentence, if something is in the way.
    """
    found = sorted(path.name for path in folder.iterdir() if path.name.lower() in RENDERED)
    if found:
        yield (
            f"{folder.resolve()} holds {', '.join(found)} already, and would lose them: "
            "nothing was changed. Render into another folder, and copy what you want "
            "(the template's docs/how-to/existing-crate.md); or move them away. With "
            "--accept-hooks=no cookiecutter does not ask, and overwrites them."
        )


def complaints(answers):
    """Say what is wrong with the answers.

    Args:
        answers: each question's key and the answer, a str.

    Yields:
        One sentence for each bad answer: the answer, the rule, the way out.
    """
    wrong = [key for key in FREE_TEXT if not isinstance(answers[key], str)]
    for key in wrong:
        yield f"{key} is {answers[key]!r}, which is no text: put it in quotes."
    if wrong:
        return

    for key in ONE_LINE:
        text = answers[key]
        if not text.strip():
            yield f"{key} is {text!r}, empty: give one line of text."
        elif any(unicodedata.category(character) in BREAKS for character in text):
            yield f"{key} is {text!r}: give one line of text, without control characters."
        elif text != text.strip():
            yield f"{key} is {text!r}: leave out the space at its beginning or end."
        elif key == "description" and len(text) > 512:
            # The rule is PyPI's, for the field Summary: the upload would be refused, after the tag.
            yield (
                f"{key} is {text[:40]!r}... and {len(text)} characters long: PyPI takes 512; "
                "README.md has room for more."
            )

    slug = answers["project_slug"]
    slug_refused = True
    module = re.sub("[-_.]+", "_", slug).lower()
    # PEP 508, https://packaging.python.org/specifications/name-normalization/
    if not re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", slug, re.ASCII | re.IGNORECASE):
        yield (
            f"project_slug is {slug!r}: a name on PyPI is made of ASCII letters, digits, "
            "'-', '_' and '.', and begins and ends with a letter or digit."
        )
    elif len(slug) > 64:
        yield f"project_slug is {slug!r}: use at most 64 characters, for file names' sake."
    elif module in TAKEN:
        yield (
            f"project_slug is {slug!r}: the project's own tools or files have that name, "
            "choose another."
        )
    elif module in STANDARD:
        yield (
            f"project_slug is {slug!r}: PyPI takes no project with the name of a module of "
            "Python's standard library, choose another."
        )
    elif slug.split(".")[0].lower() in DEVICES:
        yield f"project_slug is {slug!r}: Windows keeps that name for a device, choose another."
    else:
        slug_refused = False

    package = answers["package_name"]
    digit_first = "py" if slug[:1].isdigit() else ""
    made = (digit_first + slug.lower().replace("-", "_").replace(".", "_"))[:64]
    if slug_refused and package == made:
        pass  # as cookiecutter.json makes it from the slug: one sentence is enough
    elif not re.fullmatch(r"[a-z_][a-z0-9_]*", package, re.ASCII):
        yield (
            f"package_name is {package!r}: a name to import is made of lower-case ASCII letters, "
            "digits and '_', and does not begin with a digit."
        )
    elif len(package) > 64:
        yield f"package_name is {package!r}: use at most 64 characters, for file names' sake."
    elif keyword.iskeyword(package) or keyword.issoftkeyword(package):
        yield f"package_name is {package!r}: that is a keyword of Python, choose another name."
    elif package in STANDARD:
        yield (
            f"package_name is {package!r}: Python's standard library has a module of that name, "
            "choose another."
        )
    elif package in TAKEN:
        yield (
            f"package_name is {package!r}: the project's own tools or files have that name, "
            "choose another."
        )
    elif package in DEVICES:
        yield f"package_name is {package!r}: Windows keeps that name for a device, choose another."
    elif not package.strip("_"):
        yield f"package_name is {package!r}: use a letter too."
    elif package in CUSTOM or (package.startswith("__") and package.endswith("__")):
        yield f"package_name is {package!r}: Python keeps that name for itself, choose another."

    email = answers["author_email"]
    # RFC 5322's dot-atom. setuptools refuses what is not ASCII before the '@', and a domain
    # without a dot.
    atoms = r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*"
    domain = r"[^\s@\"\\<>(),:;\[\].]+(\.[^\s@\"\\<>(),:;\[\].]+)+"
    if not re.fullmatch(f"(?a:{atoms})@{domain}", email) or any(
        unicodedata.category(character) in BREAKS for character in email
    ):
        yield f"author_email is {email!r}: give a plain address such as name@example.com."

    owner = answers["github_owner"]
    if (
        not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-?", owner, re.ASCII | re.IGNORECASE)
        or len(owner) > 39
    ):
        yield (
            f"github_owner is {owner!r}: a GitHub user or organisation has at most 39 ASCII "
            "letters, digits and single '-', without the '@'."
        )


def main():
    """Print the complaints, if there are any; return the exit status."""
    found = [*complaints(ANSWERS), *in_the_way(Path())]
    for complaint in found:
        print(f"cookiecutter-pyo3-wheel: {complaint}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
