"""THIRD-PARTY-LICENSES.txt: what its program writes, and what notices that it is stale or gone.

Nothing is compiled: cargo only fetches crates, and the wheels are small ones.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.tags import sys_tags

from helpers.fixture_types import Render, Run
from helpers.release_programs import environment, licenses, platforms
from helpers.small_wheels import make_wheel
from tools.machine import GIT
from tools.template import BACKENDS, PROJECT_FOLDER

pytestmark = pytest.mark.builds  # each takes seconds, and some compile

NAME = "THIRD-PARTY-LICENSES.txt"
RENDERED = (PROJECT_FOLDER / NAME).read_text("utf-8")
CHECK = (sys.executable, "release/tools/licenses.py", "--check")


def write(project: Path, run: Run) -> str:
    """Let the program write the file; return its text, which the check takes."""
    run(sys.executable, "release/tools/licenses.py", cwd=project)
    assert run(*CHECK, cwd=project).stdout == ""
    return (project / NAME).read_text("utf-8")


def listed(text: str) -> dict[str, str]:
    """The crates that the file lists, each with the license that it states."""
    return dict(re.findall(r"^  (\S+): (.+)$", text, re.M))


def texts_of(crate: str, text: str) -> list[str]:
    """The license texts of a crate in the file."""
    parts = re.split(r"^={80}\n((?:.+\n)+?)-{80}\n", text, flags=re.M)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [own for names, own in pairs if crate in re.split(r",?\s+", names)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rendering_has_the_file_already(backend: str, render: Render, run: Run) -> None:
    project = render(build_backend=backend)
    assert run(*CHECK, cwd=project, CARGO_TERM_COLOR="always").stdout == ""
    assert write(project, run) == RENDERED
    # What is linked: none of the crates for macros, for build scripts and for tests.
    assert list(listed(RENDERED)) == ["libc", "once_cell", "pyo3", "pyo3-ffi", "std"]
    for name in listed(RENDERED):
        assert any("Permission is hereby granted" in text for text in texts_of(name, RENDERED))
    assert "\r" not in RENDERED


@pytest.mark.parametrize("backend", BACKENDS)
def test_crates_that_come_in_are_asked_for_by_name(backend: str, render: Render, run: Run) -> None:
    project = render(build_backend=backend)
    # fxhash and levenshtein ship no license; libz-sys ships zlib's sources, with zlib's license.
    crates = ("fxhash@0.2.1", "levenshtein@1.0.5", "libz-sys@1", "itoa@1")
    run("cargo", "add", "--quiet", *crates, cwd=project)
    run("cargo", "add", "--quiet", "winapi@0.3", "--target=cfg(windows)", cwd=project)
    run("cargo", "add", "--quiet", "hex@0.4", '--target=cfg(target_os = "android")', cwd=project)
    run("cargo", "add", "--quiet", "--dev", "fnv@1", cwd=project)
    stale = run(*CHECK, cwd=project, check=False)
    assert stale.returncode == 1
    lacks = "byteorder, fxhash, itoa, levenshtein, libz-sys, winapi"
    assert f"{NAME} does not fit Cargo.lock: it lacks {lacks}. `nox -s fix` or" in stale.stdout

    text = write(project, run)
    assert set(listed(text)) == {*lacks.split(", "), *listed(RENDERED)}
    (mit,) = texts_of("levenshtein", text)
    assert mit.startswith("\nMIT License\n\nCopyright (c) Titus Wormer\n\nPermission is hereby")
    apache, mit = texts_of("fxhash", text)
    assert "Apache License" in apache
    assert "Copyright (c) cbreeden\n" in mit
    assert any("Jean-loup Gailly" in text for text in texts_of("libz-sys", text))
    lock = tomllib.loads((project / "Cargo.lock").read_text("utf-8"))
    versions = {package["name"]: package["version"] for package in lock["package"]}
    for name in listed(text).keys() & versions.keys():
        assert f"{name}-{versions[name]}" not in text
        assert versions[name] not in listed(text)[name]

    run("cargo", "remove", "--quiet", "itoa", cwd=project)
    assert "it names itoa, not linked any more" in run(*CHECK, cwd=project, check=False).stdout


def test_an_update_that_keeps_the_texts_keeps_the_file(render: Render, run: Run) -> None:
    project = render()
    run("cargo", "update", "--quiet", "libc", "--precise=0.2.185", cwd=project)
    assert '"0.2.185"' in (project / "Cargo.lock").read_text("utf-8")
    assert write(project, run) == RENDERED


def test_features_of_the_build_count(render: Render, run: Run) -> None:
    project = render()
    run("cargo", "add", "--quiet", "--optional", "itoa@1", cwd=project)
    assert write(project, run) == RENDERED
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    for feature in ('"itoa"', '{ feature = "itoa", python-version = ">=3.11" }'):
        with_feature = text.replace("features = [", f"features = [{feature}, ")
        manifest.write_text(with_feature, "utf-8")
        assert "it lacks itoa" in run(*CHECK, cwd=project, check=False).stdout
    assert "itoa" in listed(write(project, run))


def test_crates_of_a_setup_py_are_found_by_their_locks(run: Run, tmp_path: Path) -> None:
    """Whatever the folder is called: git prints strange names in quotes unless told otherwise."""
    crate = tmp_path / "größe 🦀"
    crate.mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (crate / "Cargo.lock").write_text("version = 4\n")
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", "--all", cwd=tmp_path)
    tools = PROJECT_FOLDER / "release" / "tools"
    code = (
        f"import sys; sys.path.insert(0, {str(tools)!r}); import licenses\n"
        "for manifest, features in licenses.builds(): print(manifest.as_posix(), *features)"
    )
    found = run(sys.executable, "-B", "-X", "utf8", "-c", code, cwd=tmp_path).stdout
    assert found == "größe 🦀/Cargo.toml --all-features\n"


def test_a_crate_without_any_text_is_named_until_its_owner_finds_one(
    render: Render, run: Run, tmp_path: Path
) -> None:
    crate = tmp_path / "nobodys"
    (crate / "src").mkdir(parents=True)
    (crate / "src" / "lib.rs").touch()
    manifest = '[package]\nname = "nobodys"\nversion = "1.0.0"\nlicense = "MIT"\n'
    repository = 'repository = "https://example.com/nobodys"\n'
    (crate / "Cargo.toml").write_text(manifest + repository, "utf-8")
    run("git", "init", "--quiet", cwd=crate)
    run("git", "add", "--all", cwd=crate)
    run("git", "commit", "--quiet", "--message=Start", cwd=crate, **GIT)
    project = render()
    run("cargo", "add", "--quiet", f"--git={crate.as_uri()}", "nobodys", cwd=project)
    for command in (CHECK, CHECK[:-1]):
        refused = run(*command, cwd=project, check=False)
        assert refused.returncode == 1
        assert "nobodys 1.0.0 has no license text, and its license is MIT, by " in refused.stdout
        assert "(https://example.com/nobodys), and put it into " in refused.stdout
    (place,) = re.findall(r"put it into (\S+\.txt)", refused.stdout)
    assert (project / NAME).read_text("utf-8") == RENDERED
    (project / place).write_text("Do with it what you like.\n", "utf-8")
    assert texts_of("nobodys", write(project, run)) == ["\nDo with it what you like.\n\n"]


def test_license_at_the_top_of_a_git_repository_is_found(
    render: Render, run: Run, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    (repository / "crates" / "inner" / "src").mkdir(parents=True)
    (repository / "crates" / "inner" / "src" / "lib.rs").touch()
    manifest = '[package]\nname = "inner"\nversion = "1.0.0"\nlicense = "MIT"\n'
    (repository / "crates" / "inner" / "Cargo.toml").write_text(manifest, "utf-8")
    (repository / "LICENSE").write_text(f"Ours. {'A word. ' * 50}", "utf-8")
    run("git", "init", "--quiet", cwd=repository)
    run("git", "add", "--all", cwd=repository)
    run("git", "commit", "--quiet", "--message=Start", cwd=repository, **GIT)
    project = render()
    run("cargo", "add", "--quiet", f"--git={repository.as_uri()}", "inner", cwd=project)
    (text,) = texts_of("inner", write(project, run))
    assert text.startswith("\nOurs. A word.")


LONG = " ".join(["A license has many words."] * 20)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"LICENSE": LONG}, 1),
        ({"license.md": LONG, "LICENSE-APACHE": LONG, "UNLICENSE": LONG, "COPYING": LONG}, 4),
        ({"MIT-LICENSE.txt": LONG, "LICENCE.BSD-3": LONG}, 2),
        ({"LICENSES/MIT.txt": LONG, "src/zlib/LICENSE": LONG, "LICENSE": LONG}, 3),
        ({"LICENSE": LONG, "NOTICE": "Made by us.", "COPYRIGHT.txt": "Ours."}, 3),
        ({"LICENSE": LONG, "tests/data/LICENSE": LONG, "examples/license.txt": LONG}, 1),
        ({"LICENSE": LONG, "src/license.rs": LONG, "license.toml": LONG, "LICENSING": LONG}, 1),
        ({"terms.txt": LONG}, 1),  # named as `license-file` in its manifest
        # Without a text of its own it gets the standard one, here of the Unlicense.
        ({}, 1),
        ({"LICENSE": "../../LICENSE"}, 1),
        ({"LICENSE": "Unlicense, (c) Ada"}, 2),
        ({"NOTICE": "Made by us."}, 2),
    ],
)
def test_which_files_of_a_crate_are_license_texts(
    files: dict[str, str], found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}: {text}" if text == LONG else text, "utf-8")
    standard = tmp_path.parent / f"{tmp_path.name}-standard"
    standard.write_text("This is free and unencumbered software.", "utf-8")
    monkeypatch.setattr(licenses, "spdx_texts", lambda: {"Unlicense": standard})
    crate: dict[str, Any] = {
        "name": "one",
        "version": "1.0.0",
        "source": "registry+x",
        "manifest_path": str(tmp_path / "Cargo.toml"),
        "license": "Unlicense",
        "license_file": "terms.txt" if "terms.txt" in files else None,
        "authors": [],
    }
    texts = licenses.texts_of(crate)
    assert len(texts) == found
    with_standard = "This is free and unencumbered software." in texts
    assert with_standard != any(LONG in text for text in texts)


@pytest.mark.parametrize(
    ("license", "authors", "found"),
    [
        ("MIT", ["Ada <ada@example.com>", "Grace"], ["MIT by Ada, Grace"]),
        ("MIT", [], []),
        ("MIT", ["<ada@example.com>"], []),
        ("Apache-2.0/MIT", [], ["Apache"]),
        ("MIT OR Apache-2.0", ["Ada"], ["MIT by Ada", "Apache"]),
        ("MIT AND Apache-2.0", [], []),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", ["Ada"], []),
        ("MIT AND Apache-2.0", ["Ada"], ["Apache", "MIT by Ada"]),
        ("Apache-2.0 WITH LLVM-exception", [], ["Apache", "exception"]),
        ("LicenseRef-Ours", ["Ada"], []),
        (None, ["Ada"], []),
    ],
)
def test_standard_texts_of_what_a_crate_states(
    license: str | None,
    authors: list[str],
    found: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A choice is solved by one text, all others by all; a text with nobody's name is none."""
    texts = {
        "MIT": 'r#"MIT by <year> <copyright holders>\n"#',
        "Apache-2.0": "Apache",
        "LLVM-exception": "exception",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.setattr(licenses, "spdx_texts", lambda: {name: tmp_path / name for name in texts})
    crate: dict[str, Any] = {"license": license, "authors": authors, "repository": None}
    crate |= {"name": "one", "version": "1.0.0", "homepage": None}
    if found:
        assert licenses.standard_texts(crate) == found
    else:
        with pytest.raises(environment.Failed, match=r"^one 1\.0\.0 has no license text"):
            licenses.standard_texts(crate)


def test_standard_texts_that_ask_for_a_name_get_one() -> None:
    """The placeholders of the texts themselves, of the licenses that crates have most."""
    for name in ("MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD"):
        crate: dict[str, Any] = {"license": name, "authors": ["Ada Lovelace <ada@example.com>"]}
        (text,) = licenses.standard_texts(crate)
        (line,) = re.findall(r"^Copyright.*$", text, re.M)
        assert re.fullmatch(r"Copyright (\([cC]\) )?Ada Lovelace.*", line), line
    for name in ("Apache-2.0", "MPL-2.0", "Unicode-3.0", "Zlib", "BSL-1.0", "Unlicense", "CC0-1.0"):
        (text,) = licenses.standard_texts({"license": name, "authors": []})
        assert len(text.split()) > 50


def test_every_platform_is_one_of_rusts_targets(run: Run, tmp_path: Path) -> None:
    known = run("rustc", "--print=target-list", cwd=tmp_path).stdout.split()
    targets = [platform.rust_target for platform in platforms.PLATFORMS.values()]
    assert set(targets) <= set(known)
    assert len(set(targets)) == len(platforms.PLATFORMS)


# Crates of the toolchain that no library of a wheel holds code of, or that only lead to others.
NOT_IN_A_WHEEL = {"getopts", "proc_macro", "profiler_builtins", "rustc_literal_escaper", "test"}
PARTS_OF_STD = {"panic_abort", "panic_unwind", "std_detect", "sysroot", "unwind"}


def test_text_of_the_standard_library_names_all_that_it_is_made_of(
    run: Run, tmp_path: Path
) -> None:
    host = re.findall(r"^host: (.+)$", run("rustc", "-vV", cwd=tmp_path).stdout, re.M)[0]
    sysroot = run("rustc", "--print=sysroot", cwd=tmp_path).stdout.strip()
    libraries = Path(sysroot, "lib", "rustlib", host, "lib").glob("lib*.rlib")
    crates = {library.name.removeprefix("lib").rpartition("-")[0] for library in libraries}
    crates -= NOT_IN_A_WHEEL | PARTS_OF_STD
    named = re.findall(r"[\w-]+", (PROJECT_FOLDER / "release/license-texts/std.txt").read_text())
    words = {word.replace("-", "_") for word in named}
    assert {"std", "core"} <= crates
    assert {crate for crate in crates if not crate.startswith("rustc_std_workspace")} <= words


def outcome(project: Path, wheel: Path, run: Run) -> str:
    """What the project's tests of license texts say of an installed wheel."""
    site = wheel.parent / "site"
    run("uv", "pip", "install", "--no-deps", f"--target={site}", wheel, cwd=project)
    tests = ("-p", "no:cacheprovider", "tests/test_packaging.py", "-k", "license")
    command = (sys.executable, "-m", "pytest", *tests)
    return run(*command, cwd=project, check=False, PYTHONPATH=str(site)).stdout


WITHOUT_A_TEXT = re.sub(r"(?s)(={80}\nonce_cell\n-{80}\n).*?(?=={80}\n)", "", RENDERED)
WITHOUT_WORDS = re.sub(r"(?s)(={80}\nstd\n-{80}\n).*", r"\1", RENDERED)


@pytest.mark.parametrize(
    ("wrong", "failure"),
    [
        ({}, ""),
        ({"without": "THIRD-PARTY"}, "`license-files` in pyproject.toml names it"),
        ({"licenses": WITHOUT_A_TEXT}, "`nox -s fix` writes THIRD-PARTY-LICENSES.txt"),
        ({"licenses": WITHOUT_WORDS}, "`nox -s fix` writes THIRD-PARTY-LICENSES.txt"),
        ({"licenses": f"{RENDERED}\n"}, "not built of these sources"),
    ],
)
def test_the_projects_tests_notice_what_a_wheel_lacks(
    wrong: dict[str, str], failure: str, render: Render, run: Run, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = wrong | (
        {"licenses": wrong["licenses"].encode()} if "licenses" in wrong else {}
    )
    platform = next(sys_tags()).platform
    wheel = make_wheel(
        tmp_path, "manylinux_x86_64", "cp311-abi3", platform_tag=platform, **arguments
    )
    printed = outcome(render(), wheel, run)
    assert ("2 passed" in printed) == (not failure), printed
    assert failure in printed
    assert ("1 failed, 1 passed" in printed) == bool(failure), printed


def test_the_projects_tests_notice_a_crate_that_came_in(
    render: Render, run: Run, tmp_path: Path
) -> None:
    project = render()
    run("cargo", "add", "--quiet", "itoa@1", cwd=project)
    platform = next(sys_tags()).platform
    wheel = make_wheel(tmp_path, "manylinux_x86_64", "cp311-abi3", platform_tag=platform)
    printed = outcome(project, wheel, run)
    assert "FAILED tests/test_packaging.py::test_license_texts_are_those_of_the_linked" in printed
    assert "it lacks itoa. `nox -s fix` or `python release/tools/licenses.py` writes it" in printed
