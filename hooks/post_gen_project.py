"""Makes the rendered folder a git repository and says what to type next."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# The user's hooks are for other projects; the last one watches files for `git add`.
WITHOUT_HOOKS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
# What git says in English where no folder above is a repository either.
OUTSIDE = "not a git repository (or any"


def environment() -> dict[str, str]:
    """Return the variables for git: without those that tie it to another repository.

    Whoever runs cookiecutter from a git hook or alias has them: they would lead `git init` and
    `git commit` there. The settings among them stay: CI marks folders as safe with these.
    """
    command = ["git", "rev-parse", "--local-env-vars"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout.split()
    tied = set(listed) - {"GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"}
    return {name: value for name, value in os.environ.items() if name not in tied}


def git(*arguments: str, **variables: str) -> tuple[bool, str]:
    """Run git in the rendered folder, with some variables more.

    Returns:
        Whether it succeeded, and all that it said where it did not.
    """
    command = ["git", *WITHOUT_HOOKS, *arguments]
    try:
        result = subprocess.run(command, env=environment() | variables, capture_output=True)
    except OSError as error:
        return False, str(error)
    return result.returncode == 0, (result.stderr or result.stdout).decode(errors="replace")


def reason(said: str) -> str:
    """Return the last error in what git said, with its advice, in one line; or the last line."""
    lines = said.strip().splitlines() or ["nothing"]
    errors = [n for n, line in enumerate(lines) if line.startswith(("fatal:", "error:"))]
    start = errors[-1] if errors else len(lines) - 1
    return " ".join(" ".join(lines[start : start + 4]).split())


def make_repository() -> str:
    """Run `git init`, and commit where git knows the user; say what was left out.

    Returns:
        A sentence about what was done, or was not.
    """
    if shutil.which("git") is None:
        return "git is not installed: no repository was made."
    inside, said = git("rev-parse", "--is-inside-work-tree", LC_ALL="C")
    if inside:
        return "This folder is inside a git repository: add and commit it there."
    if said and OUTSIDE not in said:
        return f"No repository was made, because git said: {reason(said)}"
    made, said = git("init", "--initial-branch=main")
    if not made:
        return f"No repository was made: `git init` said: {reason(said)}"
    rendered = [name for name in ANSWERS["_project_files"] if Path(name).exists()]
    # By force: the user's own list of ignored files may name a folder such as release.
    added, said = git("add", "--force", "--", *rendered)
    nothing = "A git repository was made, with nothing committed"
    if not added:
        return f"{nothing}: `git add --all` and `git commit` are yours. git said: {reason(said)}"
    for person in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        known, said = git("var", person)
        if not known:
            return (
                f"{nothing}: git does not know your name yet. `git config --global user.name` and "
                f"`user.email` set it, `git commit` is yours. git said: {reason(said)}"
            )
    message = "--message=Start from cookiecutter-pyo3-wheel"
    committed, said = git("commit", "--no-verify", "--no-gpg-sign", message)
    if not committed:
        return f"{nothing}: `git commit` is yours. git said: {reason(said)}"
    return "A git repository was made, with a first commit."


def say(text: str, stream: str = "stdout") -> None:
    """Print a text, whatever the stream can hold.

    cookiecutter deletes the project if this hook fails: a closed pipe, a full disk or an encoding
    without the name's letters must not be a failure.
    """
    try:
        getattr(sys, stream).reconfigure(errors="backslashreplace")
        print(text, file=getattr(sys, stream), flush=True)
    except OSError:
        setattr(sys, stream, None)  # else Python tries again at its end, and fails


def main() -> None:
    """Make the repository, and say what to type next."""
    if "_commit" in ANSWERS:
        # cruft runs the hooks whenever it compares two versions, and takes a .git folder for a part
        # of the project; in a new project it writes .cruft.json after the hooks, too late to
        # commit. What it prints itself may be a patch, so the sentence goes to the other stream.
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
    nox -s rehearse    # before a release: try its steps on this machine

CONTRIBUTING.md says which five files to put your own code into.
"""
    )


if __name__ == "__main__":
    main()
