"""Writes THIRD-PARTY-LICENSES.txt: the license texts of the crates that are linked into a wheel.

Usage: python release/tools/licenses.py [--check]

With `--check` nothing is written; it fails if the file is not what it would write. No version of a
crate stands in the file: an update that keeps the license texts leaves the file as it is.

You add a text that no crate brings, as release/license-texts/NAME.txt. If NAME
is a crate, it takes the place of the crate's own texts. `std` is Rust's standard library.
"""

import argparse
import json
import re
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from environment import Failed, call, said
from platforms import PLATFORMS
from repository import tracked

NAME = "THIRD-PARTY-LICENSES.txt"
COMMAND = "`nox -s fix` or `python release/tools/licenses.py`"
ADDED = Path(__file__).parents[1] / "license-texts"
INTRODUCTION = """\
The compiled library of this package holds code of Rust's standard library (std) and of the crates
listed here, each with the license that it states. Their license texts follow; a text that several
of them have stands once."""
SPDX = "0.13.6"  # the crate `spdx` holds the standard texts, for crates that bring none
HOLDER = re.compile(r"(<year> )?<(copyright holders?|owner)>|YEAR by AUTHOR EMAIL", re.I)
Crate = dict[str, Any]  # a package, as `cargo metadata` lists it

# Files with a license; those that go with a license; those that are neither, whatever the name.
LICENSE = re.compile(
    r"(licenses/.*|(.*[-_. /])?((un)?licen[cs]es?|copying\d*)([-_. ][^/]*)?)", re.I
)
NOTICE = re.compile(r"(.*/)?(notices?|copyright|patents)([-_. ][^/]*)?", re.I)
NEITHER = re.compile(
    r"(tests|benches|examples)/.*|.*\.(rs|py|sh|c|cc|cpp|h|hpp|toml|json|ya?ml|hbs|lock|png)", re.I
)


def cargo(*words: str) -> str:
    """What a command of cargo prints. Raises Failed with cargo's own words."""
    process = call("cargo", "--color=never", *words)
    if process.returncode:
        raise Failed(said(process))
    return process.stdout


def builds() -> Iterator[tuple[Path, list[str]]]:
    """The manifest of each crate that becomes a library, and the features that it is built with.

    Raises Failed if pyproject.toml cannot be read, or nothing names a crate.
    """
    try:
        tools = tomllib.loads(Path("pyproject.toml").read_text("utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise Failed(f"pyproject.toml: {error}") from error
    setuptools = tools.get("setuptools-rust", {})
    tables = [*setuptools.get("ext-modules", []), *setuptools.get("bins", [])]
    if "maturin" in tools:
        tables = [{"path": tools["maturin"].get("manifest-path", "Cargo.toml"), **tools["maturin"]}]
    for table in tables:
        # maturin takes tables too: a feature, and the Pythons that it is for.
        options = [
            f"--features={entry['feature'] if isinstance(entry, dict) else entry}"
            for entry in table.get("features", [])
        ]
        for switch in ("no-default-features", "all-features"):
            if table.get(switch) or f"--{switch}" in table.get("args", []):
                options.append(f"--{switch}")
        yield Path(table.get("path", "Cargo.toml")), options
    if not tables:  # setup.py says it, in Python
        locks = tracked("Cargo.lock", "*/Cargo.lock")
        if not locks:
            raise Failed("git tracks no Cargo.lock, which names the crates: `git add` it first")
        for lock in locks:
            yield Path(lock).with_name("Cargo.toml"), ["--all-features"]


def linked() -> list[Crate]:
    """The crates that are linked on one of the platforms, sorted. Raises Failed.

    Build scripts, procedural macros and what tests need run elsewhere, and are not among them. Nor
    are crates without a source: they lie in this folder, so they are the project's own.
    """
    platforms = sorted({f"--target={each.rust_target}" for each in PLATFORMS.values()})
    found: dict[str, Crate] = {}
    for manifest, features in builds():
        build = ("--locked", f"--manifest-path={manifest}", *features)
        edges = ("--edges=normal,no-proc-macro", "--prefix=none", "--format={p}")
        tree = cargo("tree", *build, *edges, *platforms)
        pairs = set(re.findall(r"^(\S+) v(\S+)", tree, re.MULTILINE))
        printed = cargo("metadata", *build, "--format-version=1")
        try:
            metadata = json.loads(printed)
        except ValueError as error:
            raise Failed(f"`cargo metadata` printed no JSON: {printed[:200]}") from error
        found |= {
            crate["id"]: crate
            for crate in metadata["packages"]
            if (crate["name"], crate["version"]) in pairs and crate["source"]
        }
    return sorted(found.values(), key=lambda crate: (crate["name"], crate["id"]))


def texts_of(crate: Crate) -> list[str]:
    """The license texts of a crate, those of code that it brings along too. Raises Failed."""
    folder = Path(crate["manifest_path"]).parent
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*")}
    # A crate in a git repository may leave its license at the top, which cargo marks.
    above = [parent for parent in folder.parents if (parent / ".cargo-ok").exists()]
    for parent in folder.parents if above and crate["source"].startswith("git+") else []:
        if parent.is_relative_to(above[0]):
            files = {file.name: file for file in parent.iterdir()} | files
    licenses, notices = [], []
    for name, file in sorted(files.items()):
        if not file.is_file() or NEITHER.fullmatch(name):
            continue
        if LICENSE.fullmatch(name) or name == crate["license_file"]:
            # A few words only name a license, and a single one is the target of a symbolic link.
            text, words = read(file), len(read(file).split())
            licenses += [text] if words >= 50 else []
            notices += [text] if 1 < words < 50 else []
        elif NOTICE.fullmatch(name):
            notices.append(read(file))
    return [*(licenses or standard_texts(crate)), *notices]


def read(file: Path) -> str:
    """A text, without what editors and systems do differently."""
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = text.replace("\r\n", "\n").replace("\f", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


@cache
def spdx_texts() -> dict[str, Path]:
    """The files with the standard texts, by the SPDX identifier. Raises Failed."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder, "Cargo.toml")
        package = '[package]\nname = "texts"\n[lib]\npath = "Cargo.toml"\n'  # any file will do
        manifest.write_text(f'{package}[dependencies]\nspdx = "={SPDX}"\n', "utf-8")
        # In this folder, whose configuration may name a mirror.
        listed = cargo("metadata", "--format-version=1", f"--manifest-path={manifest}")
    packages = json.loads(listed)["packages"]
    (spdx,) = (Path(each["manifest_path"]) for each in packages if each["name"] == "spdx")
    return {file.name: file for file in spdx.parent.glob("src/text/*/*")}


def standard_texts(crate: Crate) -> list[str]:
    """The standard texts of the license that a crate states, with its authors as the holders.

    Of a choice, all texts that can be completed are taken. Raises Failed if that is not enough.
    """
    stated = (crate["license"] or "").replace("/", " OR ")
    choices = [stated] if " AND " in stated else stated.split(" OR ")
    holders = ", ".join(filter(None, (re.sub(r"\s*<.*?>", "", who) for who in crate["authors"])))
    found: dict[str, str] = {}
    for choice in choices:
        texts: dict[str, str] = {}
        identifiers = set(re.findall(r"[\w.+-]+", choice)) - {"AND", "OR", "WITH"}
        for identifier in sorted(identifiers):
            if identifier in spdx_texts():
                text = read(spdx_texts()[identifier]).removeprefix('r#"')
                text = re.sub(r'"#\d*$', "", text).strip("\n")
                if holders or not HOLDER.search(text):
                    texts[identifier] = HOLDER.sub(lambda _: holders, text)
        if identifiers and texts.keys() == identifiers:
            found |= texts
    if not found:
        raise Failed(
            f"{crate['name']} {crate['version']} has no license text, and its license is "
            f"{crate['license'] or 'not stated'}, by {holders or 'nobody who is named'}. Find the "
            f"text ({crate['repository'] or crate['homepage'] or 'its authors have it'}), and put "
            f"it into release/{ADDED.name}/{crate['name']}.txt"
        )
    return [*found.values()]


def compose() -> str:
    """The whole file. Raises Failed, with every crate that has no text."""
    stated, unsolved = {}, []
    texts: dict[str, tuple[str, list[str]]] = {}  # by their words: layout makes no difference
    found = [(file.stem, "see below", [read(file)]) for file in ADDED.glob("*.txt")]
    added = {name for name, *_ in found}
    for crate in linked():
        license = crate["license"] or "see below"
        try:
            own = [] if crate["name"] in added else texts_of(crate)
        except Failed as error:
            unsolved.append(str(error))
        else:
            found.append((crate["name"], license, own))
    if unsolved:
        raise Failed("\n".join(dict.fromkeys(unsolved)))
    for name, license, own in sorted(found, key=lambda each: each[0]):
        stated[name] = license
        for text in own:
            names = texts.setdefault(" ".join(text.split()), (text, []))[1]
            if name not in names:
                names.append(name)
    list_of_all = [f"  {name}: {license}" for name, license in stated.items()]
    sections = [
        f"{'=' * 80}\n{textwrap.fill(', '.join(names), 80)}\n{'-' * 80}\n\n{text}\n"
        for text, names in texts.values()
    ]
    return "\n".join([textwrap.fill(INTRODUCTION, 80), "", *list_of_all, "", *sections])


def problems() -> Iterator[str]:
    """Why the file is not to be released; each sentence says what to type."""
    try:
        wanted = compose()
    except Failed as error:
        yield str(error)
        return
    if not Path(NAME).exists():
        yield f"{NAME} is missing, the license texts of the crates: {COMMAND} writes it"
        return
    present = read(Path(NAME)) + "\n"
    if present == wanted:
        return
    listed, linked_now = (re.findall(r"^  (\S+):", text, re.M) for text in (present, wanted))
    lacking = [name for name in linked_now if name not in listed]
    extra = [name for name in listed if name not in linked_now]
    differences = [
        *([f"it lacks {', '.join(lacking)}"] if lacking else []),
        *([f"it names {', '.join(extra)}, not linked any more"] if extra else []),
    ]
    what = "; ".join(differences) or "a text is another one"
    yield f"{NAME} does not fit Cargo.lock: {what}. {COMMAND} writes it; commit it"


def main() -> None:
    """Write the file, or check it. Exits with 1, and what to do, where that fails."""
    parser = argparse.ArgumentParser("licenses.py", description=f"Write {NAME}.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is stale")
    if parser.parse_args().check:
        if found := list(problems()):
            sys.exit("\n".join(found))
        return
    try:
        Path(NAME).write_text(compose(), "utf-8", newline="\n")
    except Failed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
