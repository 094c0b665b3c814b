"""What can be known before anything is built: toolchain, lock, versions, placeholders, remote.

Usage: python release/tools/preflight.py [--tag vX.Y.Z --branch origin/main] [--rehearsal]

With a tag, as in CI, all that it finds is fatal; without one, or in a rehearsal, what can wait for
the release is not.
"""

import argparse
import configparser
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from environment import call, clean, said
from licenses import problems as problems_of_the_licenses
from plan import problems as problems_of_the_plan
from project import (
    NORMAL,
    classifiers,
    floor,
    load_toml,
    numbers,
    project,
    tag_of,
    version_in,
)
from repository import (
    git,
    other_uploads,
    problems_of_earlier_tags,
    problems_of_git,
    problems_of_the_origin,
    problems_of_the_tag,
    tracked,
)

# The answers that were not given, and the sample: what git is to search for, and where. A project
# may well be called "Guess Your Name", and a test send mail to you@example.com.
PLACEHOLDERS = {
    "Your Name": ("Your Name", ["LICENSE*", "pyproject.toml"]),
    "you@example.com": ("you@example[.]com", ["pyproject.toml"]),
    "your-name": ("(^|[^[:alnum:]-])your-name/", [".", ":!release/tools/preflight.py"]),
    "Count doubled characters in text, fast.": (
        "Count doubled characters in text, fast",
        ["README.md", "pyproject.toml"],
    ),
    "count_doubles": ("count_doubles", ["README.md", "python", "rust"]),
}

WRONG_KIND = "pyproject.toml or Cargo.toml has a value of the wrong kind"


def fatal_problems() -> Iterator[str]:
    """What stops a release, and a rehearsal too; each sentence says the way out."""
    compiler = call("rustc", "--version")
    rust = re.match(r"rustc (\d+)\.(\d+)\.(\d+)", compiler.stdout)
    if rust is None and shutil.which("rustc"):
        yield f"rustc does not start: {said(compiler)}"
    elif rust is None:
        yield "Rust is missing (rustc): see https://rustup.rs"
    yield from problems_of_git()
    if rust:
        yield from list(problems_of_the_locks(rust)) or problems_of_the_licenses()
    yield from problems_of_the_toolchain()
    yield from problems_of_the_version()
    yield from problems_of_the_tag()
    try:
        yield from problems_of_the_plan()
    except ValueError as error:
        yield str(error)


def problems_of_the_locks(rust: re.Match[str]) -> Iterator[str]:
    """A crate that this Rust is too old for, or that does not fit its lock."""
    for crate in (Path(lock).parent for lock in tracked("Cargo.lock", "*/Cargo.lock")):
        if not (crate / "Cargo.toml").exists():
            continue
        oldest = load_toml(crate / "Cargo.toml").get("package", {}).get("rust-version", "")
        if numbers(rust[0]) < numbers(str(oldest)):
            yield f"{rust[0]} is older than the {oldest} of Cargo.toml: `rustup update`"
            continue
        metadata = call("cargo", "metadata", "--locked", "--format-version=1", cwd=crate)
        if "--locked" in metadata.stderr:
            yield (
                f"{crate / 'Cargo.lock'} is not what Cargo.toml asks for: `cargo metadata` in that "
                "folder, commit the lock"
            )
        elif metadata.returncode:
            yield f"cargo cannot read {crate / 'Cargo.toml'}: {said(metadata)}"


def problems_of_the_toolchain() -> Iterator[str]:
    """A file that asks for another Rust than the one that cibuildwheel builds with."""
    for name in ("rust-toolchain.toml", "rust-toolchain"):
        if not Path(name).exists():
            continue
        text = Path(name).read_text("utf-8", errors="replace")
        # The older file may hold the name of a toolchain and nothing else.
        table = (
            load_toml(Path(name)).get("toolchain", {}) if "[" in text else {"channel": text.strip()}
        )
        channel = table.get("channel")
        settings = Path("pyproject.toml").read_text("utf-8")
        for other in re.findall(r"""\bRUSTUP_TOOLCHAIN\s*=\s*["']?([\w.-]+)""", settings):
            if channel and other != channel:
                yield (
                    f"{name} asks for Rust {channel}, but pyproject.toml sets RUSTUP_TOOLCHAIN to "
                    f"{other}, which wins in every wheel: set both to one"
                )


def problems_of_the_version() -> Iterator[str]:
    """A version that is not normal, or not the same in both places."""
    version = project().get("version")  # None if it is dynamic: then the gate compares
    if version and not NORMAL.fullmatch(version):
        yield (
            f"the version {version!r} is not in its normal form (PEP 440), which PyPI shows: "
            "write it like 1.2.3, 1.2.3rc1 or 1.2.3.post1"
        )
    bump = configparser.RawConfigParser()
    try:
        bump.read(".bumpversion.cfg", "utf-8")
        current = bump.get("bumpversion", "current_version", fallback=None)
    except (configparser.Error, ValueError) as error:
        yield f".bumpversion.cfg cannot be read: {error}"
    else:
        if version and current is not None and current != version:
            yield (
                f"pyproject.toml has version {version}, .bumpversion.cfg {current or 'none'}: set "
                "both to the last release. (`uv version --bump` changes the first alone: use "
                "bump2version.)"
            )


def open_points() -> Iterator[str]:
    """What a rehearsal can do without, a release cannot."""
    search = ("grep", "--extended-regexp", "--files-with-matches")
    for placeholder, (pattern, places) in PLACEHOLDERS.items():
        if found := git(*search, pattern, "--", *places):
            yield f"{placeholder!r} is in {', '.join(found.splitlines())}: put your own there"
    for classifier in classifiers():
        if classifier.startswith("Private ::"):
            yield f"the classifier {classifier!r} of pyproject.toml: the gate lets nothing pass"
    yield from classifiers_of_older_pythons()
    yield from problems_of_the_origin()
    yield from problems_of_earlier_tags()
    yield from other_uploads()
    if git("status", "--porcelain", "--untracked-files=normal"):
        yield "not all is committed (`git status`): `git commit`, or bump2version will refuse"


def collect(sentences: Iterator[str]) -> list[str]:
    """All sentences of a check. A value of the wrong kind in a TOML file ends it, with one more."""
    found = []
    try:
        for sentence in sentences:
            found.append(sentence)
    except (AttributeError, TypeError) as error:
        # A version without quotes, a text in place of a list. The tool knows all such rules.
        found.append(f"{WRONG_KIND}: `uvx validate-pyproject pyproject.toml` names it ({error})")
    return found


def classifiers_of_older_pythons() -> Iterator[str]:
    """Classifiers of Pythons that `requires-python` leaves out."""
    for classifier in classifiers():
        older = re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", classifier)
        if older and int(older[1]) < (floor() or 0):
            yield f"the classifier {classifier!r} names a Python below requires-python: delete it"


def print_open_points() -> list[str]:
    """Print what is left to do before a release; return it."""
    points = collect(open_points())
    for point in points:
        print(f"Before a release: {point}")
    return points


def wrong_tag(tag: str, branch: str) -> Iterator[str]:
    """Why a tag must not be released: its name, or a commit that was not merged."""
    version = project().get("version")
    if version and tag != tag_of(version):
        yield (
            f"the tag is {tag}, but pyproject.toml has version {version}, whose tag is "
            f"{tag_of(version)} (release/tag.txt): see release/README.md"
        )
    elif version_in(tag) is None:
        yield (
            f"the tag is {tag}: name it like {tag_of('1.2.3')} (release/tag.txt), with a version "
            "in its normal form"
        )
    if git("rev-parse", "--verify", branch) is None:
        yield f"there is no branch {branch} here: fetch it, or name another with --branch"
    elif git("merge-base", "--is-ancestor", "HEAD", branch) is None:
        yield f"the tag {tag} is not on {branch}: merge first, then tag the merge commit"


def main() -> None:
    """Print what was found; exit with 1 if it is fatal."""
    parser = argparse.ArgumentParser("preflight.py", description="Check before anything is built.")
    parser.add_argument("--tag", help="the tag to be released")
    parser.add_argument("--branch", default="origin/main", help="where the tag must be merged")
    parser.add_argument("--rehearsal", action="store_true", help="leave out what can wait")
    options = parser.parse_args()
    clean()
    fatal = collect(fatal_problems())
    if options.tag:
        fatal += collect(wrong_tag(options.tag, options.branch))
    if options.tag and not options.rehearsal:
        fatal += collect(open_points())
    elif not options.rehearsal:
        fatal += [point for point in print_open_points() if point.startswith(WRONG_KIND)]
    if fatal:
        sys.exit("\n".join(fatal))


if __name__ == "__main__":
    main()
