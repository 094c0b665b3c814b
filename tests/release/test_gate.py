"""The gate: what may be uploaded passes, everything else is refused by name."""

import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cibuildwheel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.tags import sys_tags
from packaging.version import Version

from helpers.faults import (
    ABI3,
    LINUX,
    add,
    remove,
    rename,
    replace,
    sdist,
    swap_the_library,
    truncate,
)
from helpers.fixture_types import Render, Run
from helpers.release_programs import archives, gate, platforms
from helpers.small_wheels import PLATFORMS, entry_point, library, make_set, make_wheel
from tools.machine import oldest_python, python_of, pythons
from tools.template import FLOORS, PROJECT_FOLDER, RELEASE_FILES

pytestmark = pytest.mark.builds

Refuse = Callable[..., str]

FREE = "cp314-cp314t"
SMALL = f"{LINUX} abi3 cp314t cp315t\nmacosx_arm64 abi3\nwin_amd64 abi3\n"


@pytest.fixture
def project(render: Render) -> Path:
    """A rendering that promises five wheels, and these in dist/, with an sdist."""
    project = render()
    (project / "release" / "wheels.txt").write_text(SMALL)
    make_set(project / "dist", platforms.read_wheels(project / "release" / "wheels.txt"))
    return project


# The gate, without the three tools that it starts: they take most of its time.
GATE_ALONE = """\
import sys
sys.path.insert(0, "release/tools")
import gate
gate.run_tools = lambda files: []
gate.main()
"""


@pytest.fixture
def refuse(project: Path, run: Run) -> Refuse:
    """Run the gate on dist/; return what it says, or fail if it passes."""

    def refuse(*arguments: str, tools: bool = True) -> str:
        program = ("release/tools/gate.py",) if tools else ("-c", GATE_ALONE)
        result = run(sys.executable, *program, "dist", *arguments, cwd=project, check=False)
        assert result.returncode != 0, result.stdout
        assert "Traceback" not in result.stdout, result.stdout
        return result.stdout

    return refuse


def test_all_that_is_promised_passes(render: Render, run: Run, tmp_path: Path) -> None:
    wheels = platforms.read_wheels(PROJECT_FOLDER / "release" / "wheels.txt")
    files = make_set(tmp_path, wheels)
    assert len(files) == 31
    printed = run(
        sys.executable, "release/tools/gate.py", tmp_path, "--tag=v0.1.0", cwd=render()
    ).stdout
    assert f"{RELEASE_FILES} files may be uploaded." in printed
    for file in files:
        assert file.name in printed


def test_platforms_that_are_off_by_default_pass_too(project: Path, run: Run) -> None:
    others = {name: ["abi3"] for name in platforms.PLATFORMS}
    (project / "release" / "wheels.txt").write_text("".join(f"{name} abi3\n" for name in others))
    shutil.rmtree(project / "dist")
    make_set(project / "dist", others)
    assert (
        f"{1 + len(others)} files may be"
        in run(sys.executable, "release/tools/gate.py", "dist", cwd=project).stdout
    )


def test_version_specific_wheels_of_setuptools_rust_pass(project: Path, run: Run) -> None:
    (wheel,) = (project / "dist").glob("*abi3t*")
    wheel.unlink()
    make_wheel(project / "dist", LINUX, "cp315-cp315t")
    run(sys.executable, "release/tools/gate.py", "dist", cwd=project)


@pytest.mark.parametrize("abis", ["cp311 cp313 pp311", "abi3 cp313", "abi3 cp39 cp314t pp312"])
def test_wheels_of_one_python_pass_alone_and_next_to_abi3(
    abis: str, project: Path, run: Run
) -> None:
    names = [name for name, platform in platforms.PLATFORMS.items() if platform.pypy]
    names = names if "pp" in abis else list(platforms.PLATFORMS)
    (project / "release" / "wheels.txt").write_text("".join(f"{name} {abis}\n" for name in names))
    shutil.rmtree(project / "dist")
    files = make_set(project / "dist", dict.fromkeys(names, abis.split()))
    assert len(files) == 1 + len(names) * len(abis.split())
    printed = run(sys.executable, "release/tools/gate.py", "dist", cwd=project).stdout
    assert f"{len(files)} files may be uploaded." in printed


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"tag": "cp311-cp313"}, "is for cp311 and has the ABI cp313, which do not fit together"),
        ({"tag": "cp313-pypy311_pp80"}, "is for cp313 and has the ABI pp311, which do not fit"),
        ({"tag": "cp313-none"}, "is for cp313 and has the ABI none, which do not fit together"),
        (
            {"tag": "cp313-cp313", "module": "_native.cpython-312-x86_64-linux-gnu.so"},
            "where no Python with the ABI cp313 looks",
        ),
        (
            {"tag": "pp311-pypy311_pp80", "module": "_native.cpython-311-x86_64-linux-gnu.so"},
            "where no Python with the ABI pp311 looks",
        ),
        ({"tag": "pp312-pypy312_pp80"}, "is the ABI pp312 for manylinux_x86_64, which wheels.txt"),
        ({"tag": "cp311-abi3"}, r"does not list: list abi3, or build without the feature abi3"),
        ({"tag": "cp312-cp312"}, r"does not list: it is not abi3. List it, or build abi3: maturin"),
    ],
)
def test_a_wrong_wheel_of_one_python_is_refused(
    wrong: dict[str, Any], reason: str, project: Path, refuse: Refuse
) -> None:
    (project / "release" / "wheels.txt").write_text(f"{LINUX} cp313 pp311\n")
    shutil.rmtree(project / "dist")
    make_set(project / "dist", {LINUX: ["cp313", "pp311"]})
    for file in (project / "dist").glob("*.whl"):
        if file.name.split("-")[2] == wrong["tag"].partition("-")[0]:
            file.unlink()
    make_wheel(project / "dist", LINUX, **wrong)
    assert re.search(reason, refuse(tools=False))


def test_the_limit_of_a_line_holds(project: Path, run: Run, refuse: Refuse) -> None:
    lines = {"manylinux_2_28_x86_64": True, "manylinux_2_17_x86_64": False}
    replace(platform_tag="manylinux_2_28_x86_64")(project)
    for name, passes in lines.items():
        text = SMALL.replace(LINUX, name)
        (project / "release" / "wheels.txt").write_text(text)
        if passes:
            run(sys.executable, "release/tools/gate.py", "dist", cwd=project)
        else:
            assert "asks for manylinux_2_28_x86_64, newer than the 2.17 that its line" in refuse(
                tools=False
            )


def test_a_line_may_allow_a_later_system(project: Path, run: Run) -> None:
    text = SMALL.replace("macosx_arm64", "macosx_13_0_arm64").replace(
        LINUX, "manylinux_2_34_x86_64"
    )
    (project / "release" / "wheels.txt").write_text(text)
    replace(platform_tag="manylinux_2_34_x86_64")(project)
    remove("*abi3-macosx*")(project)
    make_wheel(project / "dist", "macosx_arm64", ABI3, platform_tag="macosx_13_0_arm64")
    run(sys.executable, "release/tools/gate.py", "dist", cwd=project)


@pytest.mark.parametrize(("pattern", "tag"), [("{version}", "0.1.0"), ("py-{version}", "py-0.1.0")])
def test_the_tag_is_named_as_tag_txt_says(
    pattern: str, tag: str, project: Path, run: Run, refuse: Refuse
) -> None:
    (project / "release" / "tag.txt").write_text(f"# so\n{pattern}\n")
    run(sys.executable, "release/tools/gate.py", "dist", f"--tag={tag}", cwd=project)
    assert "has version 0.1.0, the tag is v0.1.0" in refuse("--tag=v0.1.0", tools=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Linux")
@pytest.mark.parametrize("other", [version for version in pythons() if version != oldest_python()])
def test_pip_picks_the_wheel_of_its_python_before_the_stable_one(
    other: str, run: Run, tmp_path: Path
) -> None:
    """And the stable one, where there is none for it."""
    oldest = oldest_python()
    specific = f"cp{oldest.replace('.', '')}"
    make_set(tmp_path / "dist", {LINUX: ["abi3", specific]})
    for version, tag in ((oldest, f"{specific}-{specific}"), (other, ABI3)):
        environment = tmp_path / version
        run("uv", "venv", "--quiet", "--seed", f"--python={version}", environment, cwd=tmp_path)
        pip = (python_of(environment), "-m", "pip", "install", "--no-index", "--no-deps")
        run(*pip, f"--find-links={tmp_path / 'dist'}", "fast-doubles", cwd=tmp_path)
        (wheel,) = environment.rglob("fast_doubles-*.dist-info/WHEEL")
        assert f"Tag: {tag}-" in wheel.read_text()


def test_tag_must_be_the_version(refuse: Refuse) -> None:
    printed = refuse("--tag=v0.2.0")
    assert printed.count("has version 0.1.0, the tag is v0.2.0") == 6
    assert "the tag is 0.1.0" in refuse("--tag=0.1.0", tools=False)


def litter(project: Path) -> None:
    (project / "dist" / "notes.txt").write_text("not for users")


def compiled(platform: str, uses: str = "") -> Callable[[], bytes]:
    return lambda: library(platform, entry_point("PyInit__native", uses))


PRIVATE = "Classifier: Private :: Do Not Upload"
FAULTS = {
    "missing": (remove(), "missing: manylinux_x86_64 abi3"),
    "missing sdist": (sdist(), "missing: sdist"),
    "renamed to another ABI": (
        rename("cp311-abi3", FREE),
        "was renamed: the tags inside are",
    ),
    "renamed to another platform": (rename("x86_64", "aarch64"), "the tags inside are cp311-abi3"),
    "renamed to another version": (
        rename("0.1.0", "0.1.1"),
        "was renamed: inside, it is fast-doubles 0.1.0",
    ),
    "renamed to another project": (rename("fast_d", "d"), "doesn't match wheel filename"),
    "two for one ABI": (
        add(LINUX, ABI3, platform_tag="manylinux_2_28_x86_64"),
        "is for the same platform and ABI as",
    ),
    "not promised": (add("win32", ABI3), "the ABI abi3 for win32, which wheels.txt does not list"),
    "version-specific": (
        replace(tag="cp311-cp311"),
        "is the ABI cp311 for manylinux_x86_64, which wheels.txt does not list",
    ),
    "wrong floor": (replace(tag="cp312-abi3"), "begins at cp312, but Requires-Python: >=3.11"),
    "other version": (replace(version="0.1.1"), "is not of fast-doubles 0.1.0"),
    "ending of another ABI": (
        replace(module="_native.cpython-311-x86_64-linux-gnu.so"),
        "where no Python with the ABI abi3 looks",
    ),
    "ending that only 3.15 knows": (
        replace(module="_native.abi3-x86_64-linux-gnu.so"),
        "where no Python with the ABI abi3 looks",
    ),
    "library of another processor": (
        replace(code=compiled("manylinux_aarch64")),
        "was not compiled for manylinux_x86_64",
    ),
    "library of another system": (
        replace(code=compiled("macosx_x86_64")),
        "was not compiled for manylinux_x86_64",
    ),
    "no library": (replace(without="_native.abi3.so"), "holds no extension module"),
    "swapped library": (swap_the_library(), r"_native.abi3.so didn't match RECORD"),
    "truncated": (truncate("*cp314t*"), "is not a zip file"),
    "truncated sdist": (truncate("*.tar.gz"), "tar.gz: "),
    "glibc too new": (
        replace(platform_tag="manylinux_2_34_x86_64"),
        "asks for manylinux_2_34_x86_64, newer than the 2.28",
    ),
    "musl too new": (
        add("musllinux_x86_64", ABI3, platform_tag="musllinux_1_3_x86_64"),
        "asks for musllinux_1_3_x86_64, newer than the 1.2",
    ),
    "macOS too new": (
        add("macosx_arm64", ABI3, platform_tag="macosx_12_0_arm64"),
        "asks for macosx_12_0_arm64, newer than the 11.0",
    ),
    "macOS too new for Intel": (
        add("macosx_x86_64", ABI3, platform_tag="macosx_11_0_x86_64"),
        "asks for macosx_11_0_x86_64, newer than the 10.15",
    ),
    "for two platforms": (
        replace(platform_tag="manylinux_2_17_x86_64.musllinux_1_1_x86_64"),
        "is for manylinux_x86_64 and musllinux_x86_64, no platform of",
    ),
    "any Linux": (replace(platform_tag="linux_x86_64"), "is for linux_x86_64, no platform of"),
    "beyond the stable ABI": (
        replace(code=compiled(LINUX, "PyUnicode_New")),
        "it uses PyUnicode_New",
    ),
    "newer than the floor": (
        replace(code=compiled(LINUX, "PyList_GetItemRef")),
        "it uses PyList_GetItemRef",
    ),
    "no license": (replace(without="licenses/LICENSE"), "holds no license"),
    "no licenses of the crates": (
        replace(without="THIRD-PARTY"),
        "holds no THIRD-PARTY-LICENSES.txt, .*`python release/tools/licenses.py` writes it",
    ),
    "other licenses of the crates": (
        replace(licenses=b"Of another day."),
        "whl has another THIRD-PARTY-LICENSES.txt than the project",
    ),
    "no stub": (replace(without=".pyi"), r"holds no stub, \*\.pyi"),
    "no py.typed": (replace(without="py.typed"), "holds no py.typed"),
    "compiled Python": (replace(extra="fast_doubles/__pycache__/x.pyc"), r"W00\d"),
    "no description": (replace(description=""), "`long_description` missing"),
    "broken metadata": (replace(more="Requires-Dist: no such thing"), "'no such thing' is invalid"),
    "sdist without a lock": (sdist(without="Cargo.lock"), "tar.gz: holds no Cargo.lock"),
    "sdist without the lock of the tools": (
        sdist(without="release/wheel-requirements.txt"),
        "tar.gz: holds no release/wheel-requirements.txt",
    ),
    "promises types": (
        replace(without="py", more="Classifier: Typing :: Typed"),
        r"holds no stub, \*\.pyi",
    ),
    "sdist without metadata": (sdist(without="PKG-INFO"), "tar.gz: holds no PKG-INFO"),
    "sdist without a manifest": (sdist(without="Cargo.toml"), "tar.gz: holds no Cargo.toml"),
    "sdist without a build": (sdist(without="pyproject.toml"), "tar.gz: holds no pyproject.toml"),
    "sdist without sources": (sdist(without="rust/lib.rs"), "tar.gz: holds no Rust sources"),
    "sdist without license": (sdist(without="LICENSE"), "tar.gz: holds no license"),
    "sdist without the licenses of the crates": (
        sdist(without="THIRD-PARTY-LICENSES.txt"),
        "tar.gz: holds no THIRD-PARTY-LICENSES.txt, .*`license-files`",
    ),
    "sdist with other licenses of the crates": (
        sdist(licenses=b"Of another day."),
        "whl has another THIRD-PARTY-LICENSES.txt than fast_doubles-0.1.0.tar.gz",
    ),
    "private wheel": (replace(more=PRIVATE), "is never to be uploaded: .*Private :: Do Not Upload"),
    "long summary": (replace(more=f"Summary: {'x' * 513}"), "has 513 characters as summary"),
    "private sdist": (sdist(more=PRIVATE), "is never to be uploaded: .*Private :: Do Not Upload"),
    "litter": (litter, "notes.txt: cannot be read, InvalidWheelFilename: "),
}


# What the gate leaves to its tools.
FOUND_BY_TOOLS = {
    "beyond the stable ABI",
    "newer than the floor",
    "compiled Python",
    "no description",
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_refused_by_name(name: str, project: Path, refuse: Refuse) -> None:
    fault, reason = FAULTS[name]
    fault(project)
    assert re.search(reason, refuse(tools=name in FOUND_BY_TOOLS))


def test_without_its_tools_the_gate_passes_what_is_promised(project: Path, run: Run) -> None:
    """So no fault above is refused for another reason than its own."""
    printed = run(sys.executable, "-c", GATE_ALONE, "dist", "--tag=v0.1.0", cwd=project).stdout
    assert "6 files may be uploaded." in printed


def test_every_reason_is_given_at_once(project: Path, refuse: Refuse) -> None:
    FAULTS["no stub"][0](project)
    FAULTS["sdist without a lock"][0](project)
    printed = refuse("--tag=v9.9.9")
    missing = "missing, or refused above: "
    for reason in ("holds no stub", "holds no Cargo.lock", "the tag is v9.9.9", missing):
        assert reason in printed


def test_a_wheel_that_promises_no_types_needs_none(project: Path, run: Run) -> None:
    replace(without="py")(project)  # neither a stub nor py.typed, and no classifier
    run(sys.executable, "release/tools/gate.py", "dist", cwd=project)


@pytest.mark.skipif(sys.platform != "linux" or sys.version_info >= (3, 15), reason="see the tag")
def test_rehearsal_refuses_a_wheel_for_one_python_alone(project: Path, refuse: Refuse) -> None:
    here = f"cp3{sys.version_info.minor}"
    tag = f"{here}-{here}"
    make_wheel(project / "dist", LINUX, tag, platform_tag=next(sys_tags()).platform)
    assert f"is the ABI {here}, and wheels.txt has no line with it" in refuse("--rehearsal")


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Linux")
def test_rehearsal_takes_wheels_of_this_machines_other_pythons(project: Path, run: Run) -> None:
    (project / "release" / "wheels.txt").write_text(f"{LINUX} cp311 cp312 cp313 cp314\n")
    for file in (project / "dist").glob("*.whl"):
        file.unlink()
    native = next(sys_tags()).platform
    for abi in ("cp311", "cp312", "cp313"):
        make_wheel(project / "dist", LINUX, f"{abi}-{abi}", platform_tag=native)
    command = (sys.executable, "release/tools/gate.py", "dist", "--rehearsal")
    assert "4 files may be uploaded." in run(*command, cwd=project).stdout


def test_rehearsal_takes_what_this_machine_can_install(project: Path, run: Run) -> None:
    (native,) = (tag.platform for tag in list(sys_tags())[:1])
    for file in (project / "dist").glob("*.whl"):
        file.unlink()
    make_wheel(project / "dist", LINUX, ABI3, platform_tag=native)
    command = (sys.executable, "release/tools/gate.py", "dist")
    assert run(*command, cwd=project, check=False).returncode != 0
    printed = run(*command, "--rehearsal", cwd=project).stdout
    assert "5 of 6 files are built elsewhere, and not checked here: macosx_arm64, " in printed
    assert re.search(r"this machine +abi3 ", printed)
    assert "2 files may be uploaded." in printed


@pytest.mark.parametrize(("abi", "refused"), [("cp314", 1), ("cp315", 0), ("cp316", 0)])
def test_rehearsal_takes_a_wheel_for_one_python_from_315_on(abi: str, refused: int) -> None:
    """What setuptools-rust builds there."""
    wheel = archives.Archive(
        project="fast-doubles", version=Version("0.1.0"), platform=archives.HERE, abi=abi
    )
    found = {(archives.HERE, abi): (Path("a.whl"), wheel)}
    complaints = list(gate.compare(found, None, {(LINUX, "abi3")}))
    assert len([one for one in complaints if "has no line with it" in one]) == refused


@pytest.mark.parametrize("fault", ["no stub", "swapped library", "wrong floor", "private wheel"])
def test_rehearsal_refuses_the_rest(fault: str, project: Path, refuse: Refuse) -> None:
    FAULTS[fault][0](project)
    assert re.search(FAULTS[fault][1], refuse("--rehearsal"))


@pytest.mark.parametrize("requires", [">=3.11.0", ">=3.11.4", ">=3.11,<4", "~=3.11"])
def test_the_floor_may_be_written_in_many_ways(project: Path, run: Run, requires: str) -> None:
    remove()(project)
    make_wheel(project / "dist", LINUX, ABI3, requires=requires)
    run(sys.executable, "release/tools/gate.py", "dist", cwd=project)


def test_an_empty_folder_is_refused(project: Path, refuse: Refuse) -> None:
    shutil.rmtree(project / "dist")
    (project / "dist").mkdir()
    assert "dist holds nothing that may be uploaded" in refuse("--rehearsal")


def test_wrong_calls_are_answered_in_a_sentence(project: Path, refuse: Refuse, run: Run) -> None:
    result = run(sys.executable, "release/tools/gate.py", "no-such", cwd=project, check=False)
    assert "no-such is no folder" in result.stdout
    (project / "release" / "wheels.txt").write_text("manylinux_z80 abi3")
    assert "wheels.txt, line 1: no platform 'manylinux_z80'" in refuse()
    (project / "release" / "wheels.txt").unlink()
    assert "wheels.txt is missing" in refuse()


def test_it_is_a_session_too(project: Path, run: Run) -> None:
    result = run("nox", "-s", "gate", "--", "dist", "--tag", "v0.1.1", cwd=project, check=False)
    assert result.returncode != 0
    assert "has version 0.1.0, the tag is v0.1.1" in result.stdout


pairs = st.tuples(st.sampled_from(sorted(PLATFORMS)), st.sampled_from(sorted(platforms.ABIS)))


@settings(max_examples=500)
@given(promise=st.sets(pairs, min_size=1), found=st.sets(pairs))
def test_only_the_set_that_is_promised_passes(
    promise: set[tuple[str, str]], found: set[tuple[str, str]]
) -> None:
    wheels: dict[str, list[str]] = {}
    for platform, abi in sorted(promise):
        wheels.setdefault(platform, []).append(abi)
    files = {
        pair: (Path(f"{'-'.join(pair)}.whl"), archives.Archive("p", Version("1"), *pair))
        for pair in [("sdist", ""), *found]
    }
    with pytest.MonkeyPatch.context() as patch:
        lines = [platforms.Line("", name, name, "", abis) for name, abis in wheels.items()]
        patch.setattr(gate, "read_lines", lambda: lines)
        patch.setattr(gate, "read_all", lambda *_: (files, []))
        patch.setattr(gate, "other_licenses", lambda _: [])
        patch.setattr(gate, "run_tools", lambda _: [])
        patch.setattr(sys, "argv", ["gate.py", str(PROJECT_FOLDER), "--tag=v1"])
        if found == promise:
            gate.main()
            return
        with pytest.raises(SystemExit) as refusal:
            gate.main()
    reasons = str(refusal.value)
    for platform, abi in promise - found:
        assert f"{platform} {abi}" in reasons
    for platform, abi in found - promise:
        assert f"the ABI {abi} for {platform}, which wheels.txt does not list" in reasons


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_library_is_taken_for_its_own_processor_and_no_other(name: str) -> None:
    """musl and glibc differ elsewhere: the same compiler's libraries begin alike."""
    module = archives.kind_of_module(library(name, entry_point("PyInit__native")))
    taken = {other for other, platform in platforms.PLATFORMS.items() if platform.module == module}
    kind = re.sub("^(many|musl)linux_", "linux_", name)
    assert {re.sub("^(many|musl)linux_", "linux_", other) for other in taken} == {kind}


def test_libraries_that_a_repair_has_added_pass(project: Path, run: Run, refuse: Refuse) -> None:
    """auditwheel and delvewheel put them next to the package; nothing else may be there."""
    folder = "fast_doubles.libs"
    for name in ("libz-0123abcd.so", "libssl-0123abcd.so.3"):
        replace(extra=f"{folder}/{name}")(project)
        run(sys.executable, "release/tools/gate.py", "dist", cwd=project)
    replace(extra=f"{folder}/x.pyc")(project)
    assert "W001" in refuse()
    replace(extra="leftover/x.py")(project)
    assert "W009" in refuse()


def test_limits_are_those_of_cibuildwheels_images() -> None:
    resources = Path(cibuildwheel.__file__).parent / "resources" / "defaults.toml"
    images = tomllib.loads(resources.read_text("utf-8"))["tool"]["cibuildwheel"]
    for name, platform in platforms.PLATFORMS.items():
        family, _, arch = name.partition("_")
        if family in ("manylinux", "musllinux"):
            newest = platform.newest.replace(".", "_")
            assert images[f"{family}-{arch}-image"] == f"{family}_{newest}"


def test_limits_are_not_below_the_macos_that_is_asked_for(render: Render) -> None:
    for floor in FLOORS:
        manifest = tomllib.loads((render(python_floor=floor) / "pyproject.toml").read_text("utf-8"))
        asked = manifest["tool"]["cibuildwheel"]["macos"]["environment"]["MACOSX_DEPLOYMENT_TARGET"]
        for name in ("macosx_x86_64", "macosx_arm64"):
            assert Version(platforms.PLATFORMS[name].newest) >= Version(asked)
