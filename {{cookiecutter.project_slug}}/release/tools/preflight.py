"""What can be known before anything is built: toolchain, lock, versions, placeholders, remote.

Usage: python release/tools/preflight.py [--tag vX.Y.Z --branch origin/main]

With a tag, as in CI, all that it finds is fatal; without one, what can wait is only listed.
"""

import argparse
import configparser
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from environment import call, clean, said
from licenses import problems as problems_of_the_licenses

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

# The normal form of a public version: PEP 440, appendix B.
NUMBER = r"(0|[1-9][0-9]*)"
NORMAL = re.compile(
    rf"([1-9][0-9]*!)?{NUMBER}(\.{NUMBER})*((a|b|rc){NUMBER})?(\.post{NUMBER})?(\.dev{NUMBER})?"
)


def load_toml(file: Path) -> dict[str, Any]:
    """A TOML file. Raises SystemExit, with a sentence, if it is none."""
    if not file.exists():
        sys.exit(f"{file} is missing: start this in the project's folder")
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: {error}")


def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml; empty where setup.cfg or setup.py has it all."""
    table: dict[str, Any] = load_toml(Path("pyproject.toml")).get("project", {})
    return table


def git(*arguments: str) -> str | None:
    """What git prints, without colours and escapes; None if it fails."""
    plain = ("color.ui=false", "color.grep=false", "core.quotePath=false")
    settings = [word for setting in plain for word in ("-c", setting)]
    process = call("git", *settings, *arguments)
    return None if process.returncode else process.stdout.strip()


def version_tuple(text: str) -> tuple[int, ...]:
    """The numbers of a version, or of a text that has one: 'rustc 1.85.0' is (1, 85, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", text))


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


def problems_of_the_locks(rust: re.Match[str]) -> Iterator[str]:
    """A crate that this Rust is too old for, or that does not fit its lock."""
    locks = (git("ls-files", "Cargo.lock", "*/Cargo.lock") or "").splitlines()
    for crate in (Path(lock).parent for lock in locks):
        if not (crate / "Cargo.toml").exists():
            continue
        oldest = load_toml(crate / "Cargo.toml").get("package", {}).get("rust-version", "")
        if version_tuple(rust[0]) < version_tuple(str(oldest)):
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


def problems_of_git() -> Iterator[str]:
    """What git does not track as a release needs it."""
    top = call("git", "rev-parse", "--show-prefix")
    if top.returncode == 127:
        yield "git is missing: a release is a commit and a tag. See https://git-scm.com"
    elif top.returncode and not any(
        (folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents)
    ):
        yield "this is no git repository: `git init`, `git add --all`, `git commit`"
    elif top.returncode:
        yield f"git does not read this repository: {said(top)}"
    elif top.stdout.strip():
        yield (
            f"{top.stdout.strip()} is a folder of a repository: move it to the top, GitHub reads "
            "no others"
        )
    if top.returncode:
        return
    listed = call("git", "ls-files", "--stage", "-z")
    if listed.returncode:
        yield f"git does not list its files: {said(listed)}"
        return
    modes: dict[str, list[str]] = {}
    for entry in listed.stdout.split("\0")[:-1]:
        words, _, name = entry.partition("\t")
        modes.setdefault(words.partition(" ")[0], []).append(name)
    if not any(Path(name).name == "Cargo.lock" for names in modes.values() for name in names):
        yield "git tracks no Cargo.lock: `git add Cargo.lock`, and commit it"
    if modules := modes.get("160000"):
        yield (
            f"{', '.join(modules)}: a git submodule, which the sdist and CI's checkouts leave out. "
            "Name a crate in Cargo.toml (`git = URL`, `rev = ...`), or commit the files themselves"
        )
    if links := [name for name in modes.get("120000", []) if not Path(name).is_file()]:
        yield (
            f"{', '.join(links)}: a symbolic link to a folder or to nothing, which an sdist cannot "
            "hold. Commit the files themselves, or leave the link out of the sdist by name"
        )
    if pointers := git("ls-files", ":(attr:filter=lfs)"):
        yield (
            f"{', '.join(pointers.splitlines())}: of git LFS, whose files CI's checkouts leave "
            "out. Commit the files themselves"
        )


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
    table = project()
    search = ("grep", "--extended-regexp", "--files-with-matches")
    for placeholder, (pattern, places) in PLACEHOLDERS.items():
        if found := git(*search, pattern, "--", *places):
            yield f"{placeholder!r} is in {', '.join(found.splitlines())}: put your own there"
    for classifier in table.get("classifiers", []):
        if classifier.startswith("Private ::"):
            yield f"the classifier {classifier!r} of pyproject.toml: the gate lets nothing pass"
    remote = git("remote", "get-url", "origin")
    if not remote:
        yield "git has no remote named origin: `git remote add origin URL`"
    for label, url in table.get("urls", {}).items():
        if (
            remote
            and label.lower() in ("repository", "source")
            and owner_and_repository(url) != owner_and_repository(remote)
        ):
            yield (
                f"the URL {label} of pyproject.toml is {url}, but git's origin is {remote}: "
                "edit the one, or `git remote set-url origin` the other"
            )
    if git("status", "--porcelain", "--untracked-files=normal"):
        yield "not all is committed (`git status`): `git commit`, or bump2version will refuse"


def owner_and_repository(url: str) -> list[str]:
    """Owner and repository at the end of a URL, in whatever way git takes it."""
    return re.split(r"[:/]", url.lower().removesuffix("/").removesuffix(".git"))[-2:]


def collect(sentences: Iterator[str]) -> list[str]:
    """All sentences of a check. A value of the wrong kind in a TOML file ends it, with one more."""
    found = []
    try:
        for sentence in sentences:
            found.append(sentence)
    except (AttributeError, TypeError) as error:
        # A version without quotes, a text in place of a list. The tool knows all such rules.
        found.append(
            "pyproject.toml or Cargo.toml has a value of the wrong kind: "
            f"`uvx validate-pyproject pyproject.toml` names it ({error})"
        )
    return found


def print_open_points() -> None:
    """Print what is left to do before a release."""
    for point in collect(open_points()):
        print(f"Before a release: {point}")


def wrong_tag(tag: str, branch: str) -> Iterator[str]:
    """Why a tag must not be released: its name, or a commit that was not merged."""
    version = project().get("version")
    if version and tag != f"v{version}":
        yield f"the tag is {tag}, but pyproject.toml has version {version}: see release/README.md"
    elif not NORMAL.fullmatch(tag.removeprefix("v")) or not tag.startswith("v"):
        yield f"the tag is {tag}: name it v and a version in its normal form, like v1.2.3"
    if git("rev-parse", "--verify", branch) is None:
        yield f"there is no branch {branch} here: fetch it, or name another with --branch"
    elif git("merge-base", "--is-ancestor", "HEAD", branch) is None:
        yield f"the tag {tag} is not on {branch}: merge first, then tag the merge commit"


def main() -> None:
    """Print what was found; exit with 1 if it is fatal."""
    parser = argparse.ArgumentParser("preflight.py", description="Check before anything is built.")
    parser.add_argument("--tag", help="the tag to be released")
    parser.add_argument("--branch", default="origin/main", help="where the tag must be merged")
    options = parser.parse_args()
    clean()
    fatal = collect(fatal_problems())
    if options.tag:
        fatal += collect(wrong_tag(options.tag, options.branch)) + collect(open_points())
    else:
        print_open_points()
    if fatal:
        sys.exit("\n".join(fatal))


if __name__ == "__main__":
    main()
