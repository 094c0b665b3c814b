"""Makes the rendered folder a git repository and says what to type next."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# What a rendering has in its folder: with -f, other files may lie there, private ones too. The
# other hook has the same in lower case; hooks cannot import one another, a test compares them.
RENDERED = [
    ".bumpversion.cfg",
    ".cargo",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".template.json",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "noxfile.py",
    "pyproject.toml",
    "python",
    "release",
    "rust",
    "setup.py",
    "tests",
]


def git(*arguments):
    """Run git in the rendered folder, in silence; return whether it succeeded."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True).returncode == 0
    except OSError:
        return False


def make_repository():
    """Run `git init`, and commit where git knows the user; say what was left out.

    Returns:
        A sentence about what was done, or was not.
    """
    if shutil.which("git") is None:
        return "git is not installed: no repository was made."
    if git("rev-parse", "--is-inside-work-tree"):
        return "This folder is inside a git repository: add and commit it there."
    if not git("init", "--initial-branch=main"):
        return "git could not make a repository here: `git init` says why."
    git("add", "--", *(name for name in RENDERED if Path(name).exists()))
    if not git(
        "commit", "--no-verify", "--no-gpg-sign", "--message=Start from cookiecutter-pyo3-wheel"
    ):
        return "A git repository was made, with nothing committed: git does not know your name yet."
    return "A git repository was made, with a first commit."


def say(text, stream="stdout"):
    """Print a text, whatever the stream can hold.

    cookiecutter deletes the project if this hook fails: a closed pipe, a full disk or an encoding
    without the name's letters must not be a failure.
    """
    try:
        getattr(sys, stream).reconfigure(errors="backslashreplace")
        print(text, file=getattr(sys, stream), flush=True)
    except OSError:
        setattr(sys, stream, None)  # else Python tries again at its end, and fails


def main():
    """Make the repository, and say what to type next."""
    if "_commit" in ANSWERS:
        # cruft runs the hooks whenever it compares two versions, and takes a .git folder for a part
        # of the project; in a new project it writes .cruft.json after the hooks, too late to
        # commit. What it prints itself may be a patch: hence the other stream.
        name = ANSWERS["project_name"]
        say(f"{name} was rendered by cruft: no repository was made.", "stderr")
        return
    try:
        done = make_repository()
    except KeyboardInterrupt:
        sys.exit("Interrupted. All files are there; `git init` and the first commit are yours.")
    say(
        f"""
{ANSWERS["project_name"]} is ready. {done}

    cd {ANSWERS["project_slug"]}
    nox                # check, build and test; without an installation: uvx nox
    nox -s bench       # measure it against Python
    nox -s rehearse    # the whole release on this machine, when you get there

README.md says which five files to put your own code into.
"""
    )


if __name__ == "__main__":
    main()
