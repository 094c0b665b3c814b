"""What can be known before anything is built: toolchain, lock, versions, placeholders, remote.

Usage: python release/preflight.py [--tag vX.Y.Z --branch origin/main]

With a tag, as in CI, all that it finds is fatal; without one, what can wait is only listed.
"""

import argparse
import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The answers that were not given: what git is to search for, and where. A project may well be
# called "Guess Your Name", and a test send mail to you@example.com.
PLACEHOLDERS = {
    "Your Name": ("Your Name", ["LICENSE*", "pyproject.toml"]),
    "you@example.com": ("you@example[.]com", ["pyproject.toml"]),
    "your-name": ("(^|[^[:alnum:]-])your-name/", [".", ":!release/preflight.py"]),
}


def output(*command: str, cwd: Path | None = None) -> str | None:
    """What a command prints; None if it fails, or is not there."""
    if program := shutil.which(command[0]):
        command = (program, *command[1:])
        result = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8")
        return None if result.returncode else result.stdout.strip()
    return None


def load(file: Path) -> dict[str, Any]:
    """A TOML file. Raises SystemExit, with a sentence, if it is none."""
    if not file.exists():
        sys.exit(f"{file} is missing: start this in the project's folder")
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except ValueError as error:
        sys.exit(f"{file}: {error}")


def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml; empty where setup.cfg or setup.py has it all."""
    table: dict[str, Any] = load(Path("pyproject.toml")).get("project", {})
    return table


def problems() -> Iterator[str]:
    """What stops a release, and a rehearsal too; each sentence says the way out."""
    rust = re.match(r"rustc (\d+)\.(\d+)\.(\d+)", output("rustc", "--version") or "")
    if rust is None:
        yield "Rust is missing (rustc): see https://rustup.rs"
    prefix = output("git", "rev-parse", "--show-prefix")
    if prefix is None:
        yield "this is no git repository: `git init`, `git add --all`, `git commit`"
    elif prefix:
        yield f"{prefix} is a folder of a repository: move it to the top, GitHub reads no others"
    locks = (output("git", "ls-files", "Cargo.lock", "*/Cargo.lock") or "").split("\n")
    if locks == [""] and prefix is not None:
        yield "git tracks no Cargo.lock: `git add Cargo.lock`, and commit it"
    for crate in (Path(lock).parent for lock in locks if rust and lock):
        if not (crate / "Cargo.toml").exists():
            continue
        oldest = load(crate / "Cargo.toml").get("package", {}).get("rust-version", "")
        if [*map(int, rust.groups())] < [*map(int, re.findall(r"\d+", str(oldest)))]:
            yield f"{rust[0]} is older than the {oldest} of Cargo.toml: `rustup update`"
            continue
        command = ("cargo", "metadata", "--locked", "--format-version=1")
        result = subprocess.run(command, cwd=crate, capture_output=True, encoding="utf-8")
        if "--locked" in result.stderr:
            yield "Cargo.lock is not what Cargo.toml asks for: `cargo metadata`, commit the lock"
        elif result.returncode:
            yield f"cargo cannot read {crate / 'Cargo.toml'}: {result.stderr.strip()}"
    version = project().get("version")  # None if it is dynamic: then the gate compares
    bump = configparser.RawConfigParser()
    try:
        bump.read(".bumpversion.cfg", "utf-8")
        current = bump.get("bumpversion", "current_version", fallback=None)
    except configparser.Error as error:
        yield f".bumpversion.cfg cannot be read: {error}"
    else:
        if version and current and current != version:
            yield (
                f"pyproject.toml has version {version}, .bumpversion.cfg {current}: set both to "
                "the last release. (`uv version --bump` changes the first alone: use bump2version.)"
            )


def todos() -> Iterator[str]:
    """What a rehearsal can do without, a release cannot."""
    table = project()
    search = ("git", "grep", "--extended-regexp", "--files-with-matches")
    for placeholder, (pattern, places) in PLACEHOLDERS.items():
        if found := output(*search, pattern, "--", *places):
            yield f"{placeholder!r} stands in {', '.join(found.splitlines())}: put your own there"
    for classifier in table.get("classifiers", []):
        if classifier.startswith("Private ::"):
            yield f"the classifier {classifier!r} of pyproject.toml: the gate lets nothing pass"
    remote = output("git", "remote", "get-url", "origin")
    if remote is None:
        yield "git has no remote named origin: `git remote add origin URL`"
    for label, url in table.get("urls", {}).items() if remote else ():
        if label.lower() in ("repository", "source") and names(url) != names(remote):
            yield (
                f"the URL {label} of pyproject.toml is {url}, but git's origin is {remote}: "
                "edit the one, or `git remote set-url origin` the other"
            )
    if output("git", "status", "--porcelain"):
        yield "not all is committed: bump2version will refuse, and nothing uncommitted is released"


def names(url: str) -> list[str]:
    """Owner and repository at the end of a URL, in whatever way git takes it."""
    return re.split(r"[:/]", url.lower().removesuffix("/").removesuffix(".git"))[-2:]


def list_todos() -> None:
    """Print what is left to do before a release."""
    for todo in todos():
        print(f"Before a release: {todo}")


def wrong_tag(tag: str, branch: str) -> Iterator[str]:
    """Why a tag must not be released: its name, or a commit that was not merged."""
    version = project().get("version")
    if version and tag != f"v{version}":
        yield f"the tag is {tag}, but pyproject.toml has version {version}: see release/README.md"
    if output("git", "rev-parse", "--verify", branch) is None:
        yield f"there is no branch {branch} here: fetch it, or name another with --branch"
    elif output("git", "merge-base", "--is-ancestor", "HEAD", branch) is None:
        yield f"the tag {tag} is not on {branch}: merge first, then tag the merge commit"


def main() -> None:
    """Print what was found; exit with 1 if it is fatal."""
    parser = argparse.ArgumentParser("preflight.py", description="Check before anything is built.")
    parser.add_argument("--tag", help="the tag to be released")
    parser.add_argument("--branch", default="origin/main", help="where the tag must be merged")
    options = parser.parse_args()
    fatal = list(problems())
    if options.tag:
        fatal += [*wrong_tag(options.tag, options.branch), *todos()]
    else:
        list_todos()
    if fatal:
        sys.exit("\n".join(fatal))


if __name__ == "__main__":
    main()
