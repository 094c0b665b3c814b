"""What git says of the project: the files that it tracks, its tags, and where it comes from."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from environment import call, said
from project import NORMAL, numbers, project, tag_of, tag_pattern, version_in

RELEASE = Path(".github/workflows/release.yml")
# What sends files to PyPI: commands, an action, and the names of passwords.
UPLOADS = re.compile(
    r"gh-action-pypi-publish"
    r"|\b(twine|maturin)\b[^|;&\n]*?\supload\b"
    r"|\b(maturin|uv|flit|poetry|hatch|pdm|rye|semantic-release)(\s+-\S+)*\s+publish\b"
    r"|\bsetup\.py\b.*\bupload\b"
    r"|\bcommand:\s*[\"']?(upload|publish)\b"
    r"|\b(TWINE_PASSWORD|MATURIN_PYPI_TOKEN|UV_PUBLISH_\w+|FLIT_PASSWORD|HATCH_INDEX_AUTH)\b"
    r"|\b(POETRY_PYPI_TOKEN_\w+|PYPI_(API_)?(TOKEN|PASSWORD))\b"
)
# Events that can come from a tag, or before one. A nightly or manual run is no second release.
OF_A_TAG = re.compile(r"\b(push|create|release|workflow_run|workflow_call|repository_dispatch)\b")


def git(*arguments: str) -> str | None:
    """What git prints, without colours and escapes; None if it fails."""
    plain = ("color.grep=false", "core.quotePath=false")
    settings = [word for setting in plain for word in ("-c", setting)]
    process = call("git", *settings, *arguments)
    return None if process.returncode else process.stdout.strip()


def tracked(*patterns: str) -> list[str]:
    """The files that git tracks and that a pattern of git's names, whatever letters are in them."""
    return call("git", "ls-files", "-z", "--", *patterns).stdout.split("\0")[:-1]


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
    names = [name for listed_names in modes.values() for name in listed_names]
    if not any(Path(name).name == "Cargo.lock" for name in names):
        yield f"git tracks no Cargo.lock: {'; '.join(steps_to_a_lock(names))}"
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
    if pointers := tracked(":(attr:filter=lfs)"):
        yield (
            f"{', '.join(pointers)}: of git LFS, whose files CI's checkouts leave "
            "out. Commit the files themselves"
        )


def steps_to_a_lock(tracked: list[str]) -> list[str]:
    """What to do where git tracks no Cargo.lock: it may be missing, or ignored, or both."""
    manifests = [Path(name) for name in tracked if Path(name).name == "Cargo.toml"]
    manifest = min(manifests, key=lambda file: len(file.parts), default=Path("Cargo.toml"))
    lock = manifest.with_name("Cargo.lock")
    steps = []
    if not lock.exists():
        steps.append(f"`cargo generate-lockfile --manifest-path {manifest.as_posix()}`")
    # file:line:pattern, a tab, and the name that was asked for
    if ignored := git("check-ignore", "--verbose", "--no-index", str(lock)):
        file, line, pattern = ignored.partition("\t")[0].rsplit(":", 2)
        steps.append(f"take {pattern!r} out of {file}, line {line}")
    return [*steps, f"`git add {lock.as_posix()}`, and commit it"]


def problems_of_the_tag() -> Iterator[str]:
    """A line that names tags in another way than tag.txt does."""
    pattern = tag_pattern()
    if RELEASE.exists():
        lines = RELEASE.read_text("utf-8").splitlines()
        number = next((i for i, line in enumerate(lines, 1) if line.strip()[:5] == "tags:"), 0)
        # In one line, or one below the other. The patterns are like those of a shell.
        named = [*lines[number - 1 : number], *takewhile(is_item, lines[number:])]
        patterns = re.findall(r"""["']([^"']*)["']|-\s+([^\s"']+)""", "\n".join(named))
        if number and not any(fnmatchcase(tag_of("1.2.3"), "".join(each)) for each in patterns):
            yield (
                f"{RELEASE.as_posix()}, line {number}, starts for no tag like {tag_of('1.2.3')}, "
                f'as release/tag.txt has them: write `tags: ["{tag_of("[0-9]*")}"]`'
            )
    if Path(".bumpversion.cfg").exists():
        text = Path(".bumpversion.cfg").read_text("utf-8", errors="replace")
        name = re.search(r"^tag_name\s*=\s*(.*?)\s*$", text, re.MULTILINE)
        made = name[1] if name else "v{new_version}"  # what both tools take without it
        wanted = tag_of("{new_version}")
        if made != wanted:
            yield (
                f".bumpversion.cfg makes tags {made}, but release/tag.txt says {pattern}: "
                f"write `tag_name = {wanted}`"
            )


def is_item(line: str) -> bool:
    """Whether a line of YAML is an item of a list."""
    return line.lstrip().startswith("-")


def other_uploads() -> Iterator[str]:
    """Other workflows that send files to PyPI: one tag would start two releases."""
    if not RELEASE.exists():
        return
    for name in tracked(".github"):
        file = Path(name)
        if file == RELEASE or file.suffix not in (".yml", ".yaml") or not file.exists():
            continue
        text = file.read_text("utf-8", errors="replace")
        lines = [re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines()]
        events = re.search(r"(?ms)^[\"']?on[\"']?:.*?(?=^\w|\Z)", "\n".join(lines))
        if events and not OF_A_TAG.search(events[0]):
            continue
        for number, line in enumerate(lines, start=1):
            if found := UPLOADS.search(line):
                yield (
                    f"{name}, line {number}, sends files to PyPI too ({found[0].strip()!r}), so "
                    f"one tag starts two releases: take that out, {RELEASE.name} does it"
                )
                break


def problems_of_earlier_tags() -> Iterator[str]:
    """A version that is not above those that were released, or that were tagged in another way."""
    version = project().get("version")
    tags = (git("tag", "--list") or "").splitlines()
    merged = (git("tag", "--list", "--merged", "HEAD") or "").splitlines()
    if version and (released := [tag for tag in merged if version_in(tag)]):
        last = max(released, key=lambda tag: numbers(version_in(tag)))
        if numbers(version) < numbers(version_in(last)):
            yield (
                f"the version is {version}, and the tag {last} is in its history: write "
                f"{version_in(last)} into pyproject.toml and .bumpversion.cfg, and bump from "
                "there; or give that tag another name"
            )
    if tag_pattern() in ("v{version}", "{version}"):
        known = [tag for tag in tags if NORMAL.fullmatch(tag.removeprefix("v"))]
        last = max(known, key=numbers, default="")
        if last and not version_in(last):
            yield (
                f"the last tag is {last}, but a release starts for tags like {tag_of('1.2.3')} "
                "alone: the next one has to be named so, or release/tag.txt the other way"
            )


def problems_of_the_origin() -> Iterator[str]:
    """An origin that is missing, or not the one of the metadata or of release/README.md."""
    origin = git("remote", "get-url", "origin")
    if not origin:
        yield "git has no remote named origin: `git remote add origin URL`"
        return
    for label, url in project().get("urls", {}).items():
        if label.lower() in ("repository", "source") and (
            owner_and_repository(url) != owner_and_repository(origin)
        ):
            yield (
                f"the URL {label} of pyproject.toml is {url}, but git's origin is {origin}: "
                "edit the one, or `git remote set-url origin` the other"
            )
    readme = Path("release/README.md")
    text = readme.read_text("utf-8", errors="replace") if readme.exists() else ""
    publisher = re.findall(r"\| (?:Owner|Repository name) \| `([^`]+)` \|", text)
    if "github.com" in origin and len(publisher) == 2:
        here = owner_and_repository(origin)
        if [word.lower() for word in publisher] != here:
            yield (
                f"{readme.as_posix()} tells PyPI of the repository {'/'.join(publisher)}, but "
                f"git's origin is {origin}: put {'/'.join(here)} there, or PyPI refuses the upload"
            )


def owner_and_repository(url: str) -> list[str]:
    """Owner and repository at the end of a URL, in whatever way git takes it."""
    return re.split(r"[:/]", url.lower().removesuffix("/").removesuffix(".git"))[-2:]
