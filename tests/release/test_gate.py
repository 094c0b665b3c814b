"""The gate: what may be uploaded passes, and nothing else. test_gate_faults.py has more faults."""

import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import cibuildwheel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.tags import sys_tags
from packaging.version import Version

from helpers.faults import ABI3, LINUX, remove, replace
from helpers.fixture_types import Render, Run
from helpers.gate_runs import FIVE_WHEELS, Refuse
from helpers.release_programs import archives, gate, platforms
from helpers.small_wheels import PLATFORMS, entry_point, library, make_set, make_wheel
from tools.machine import oldest_python, python_of, pythons
from tools.template import FLOORS, PROJECT_FOLDER, RELEASE_FILES

pytestmark = pytest.mark.builds


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


def test_platforms_that_are_off_by_default_pass_too(promised: Path, run: Run) -> None:
    others = {name: ["abi3"] for name in platforms.PLATFORMS}
    (promised / "release" / "wheels.txt").write_text("".join(f"{name} abi3\n" for name in others))
    shutil.rmtree(promised / "dist")
    make_set(promised / "dist", others)
    assert (
        f"{1 + len(others)} files may be"
        in run(sys.executable, "release/tools/gate.py", "dist", cwd=promised).stdout
    )


def test_version_specific_wheels_of_setuptools_rust_pass(promised: Path, run: Run) -> None:
    (wheel,) = (promised / "dist").glob("*abi3t*")
    wheel.unlink()
    make_wheel(promised / "dist", LINUX, "cp315-cp315t")
    run(sys.executable, "release/tools/gate.py", "dist", cwd=promised)


@pytest.mark.parametrize("abis", ["cp311 cp313 pp311", "abi3 cp313", "abi3 cp39 cp314t pp312"])
def test_wheels_of_one_python_pass_alone_and_next_to_abi3(
    abis: str, promised: Path, run: Run
) -> None:
    names = [name for name, platform in platforms.PLATFORMS.items() if platform.pypy]
    names = names if "pp" in abis else list(platforms.PLATFORMS)
    (promised / "release" / "wheels.txt").write_text("".join(f"{name} {abis}\n" for name in names))
    shutil.rmtree(promised / "dist")
    files = make_set(promised / "dist", dict.fromkeys(names, abis.split()))
    assert len(files) == 1 + len(names) * len(abis.split())
    printed = run(sys.executable, "release/tools/gate.py", "dist", cwd=promised).stdout
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
    wrong: dict[str, Any], reason: str, promised: Path, refuse: Refuse
) -> None:
    (promised / "release" / "wheels.txt").write_text(f"{LINUX} cp313 pp311\n")
    shutil.rmtree(promised / "dist")
    make_set(promised / "dist", {LINUX: ["cp313", "pp311"]})
    for file in (promised / "dist").glob("*.whl"):
        if file.name.split("-")[2] == wrong["tag"].partition("-")[0]:
            file.unlink()
    make_wheel(promised / "dist", LINUX, **wrong)
    assert re.search(reason, refuse(tools=False))


def test_the_limit_of_a_line_holds(promised: Path, run: Run, refuse: Refuse) -> None:
    lines = {"manylinux_2_28_x86_64": True, "manylinux_2_17_x86_64": False}
    replace(platform_tag="manylinux_2_28_x86_64")(promised)
    for name, passes in lines.items():
        text = FIVE_WHEELS.replace(LINUX, name)
        (promised / "release" / "wheels.txt").write_text(text)
        if passes:
            run(sys.executable, "release/tools/gate.py", "dist", cwd=promised)
        else:
            assert "asks for manylinux_2_28_x86_64, newer than the 2.17 that its line" in refuse(
                tools=False
            )


def test_a_line_may_allow_a_later_system(promised: Path, run: Run) -> None:
    text = FIVE_WHEELS.replace("macosx_arm64", "macosx_13_0_arm64").replace(
        LINUX, "manylinux_2_34_x86_64"
    )
    (promised / "release" / "wheels.txt").write_text(text)
    replace(platform_tag="manylinux_2_34_x86_64")(promised)
    remove("*abi3-macosx*")(promised)
    make_wheel(promised / "dist", "macosx_arm64", ABI3, platform_tag="macosx_13_0_arm64")
    run(sys.executable, "release/tools/gate.py", "dist", cwd=promised)


@pytest.mark.parametrize(("pattern", "tag"), [("{version}", "0.1.0"), ("py-{version}", "py-0.1.0")])
def test_the_tag_is_named_as_tag_txt_says(
    pattern: str, tag: str, promised: Path, run: Run, refuse: Refuse
) -> None:
    (promised / "release" / "tag.txt").write_text(f"# so\n{pattern}\n")
    run(sys.executable, "release/tools/gate.py", "dist", f"--tag={tag}", cwd=promised)
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


def test_a_wheel_that_promises_no_types_needs_none(promised: Path, run: Run) -> None:
    replace(without="py")(promised)  # neither a stub nor py.typed, and no classifier
    run(sys.executable, "release/tools/gate.py", "dist", cwd=promised)


@pytest.mark.skipif(sys.platform != "linux" or sys.version_info >= (3, 15), reason="see the tag")
def test_rehearsal_refuses_a_wheel_for_one_python_alone(promised: Path, refuse: Refuse) -> None:
    here = f"cp3{sys.version_info.minor}"
    tag = f"{here}-{here}"
    make_wheel(promised / "dist", LINUX, tag, platform_tag=next(sys_tags()).platform)
    assert f"is the ABI {here}, and wheels.txt has no line with it" in refuse("--rehearsal")


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Linux")
def test_rehearsal_takes_wheels_of_this_machines_other_pythons(promised: Path, run: Run) -> None:
    (promised / "release" / "wheels.txt").write_text(f"{LINUX} cp311 cp312 cp313 cp314\n")
    for file in (promised / "dist").glob("*.whl"):
        file.unlink()
    native = next(sys_tags()).platform
    for abi in ("cp311", "cp312", "cp313"):
        make_wheel(promised / "dist", LINUX, f"{abi}-{abi}", platform_tag=native)
    command = (sys.executable, "release/tools/gate.py", "dist", "--rehearsal")
    assert "4 files may be uploaded." in run(*command, cwd=promised).stdout


def test_rehearsal_takes_what_this_machine_can_install(promised: Path, run: Run) -> None:
    (native,) = (tag.platform for tag in list(sys_tags())[:1])
    for file in (promised / "dist").glob("*.whl"):
        file.unlink()
    make_wheel(promised / "dist", LINUX, ABI3, platform_tag=native)
    command = (sys.executable, "release/tools/gate.py", "dist")
    assert run(*command, cwd=promised, check=False).returncode != 0
    printed = run(*command, "--rehearsal", cwd=promised).stdout
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


@pytest.mark.parametrize("requires", [">=3.11.0", ">=3.11.4", ">=3.11,<4", "~=3.11"])
def test_the_floor_may_be_written_in_many_ways(promised: Path, run: Run, requires: str) -> None:
    remove()(promised)
    make_wheel(promised / "dist", LINUX, ABI3, requires=requires)
    run(sys.executable, "release/tools/gate.py", "dist", cwd=promised)


def test_an_empty_folder_is_refused(promised: Path, refuse: Refuse) -> None:
    shutil.rmtree(promised / "dist")
    (promised / "dist").mkdir()
    assert "dist holds nothing that may be uploaded" in refuse("--rehearsal")


def test_wrong_calls_are_answered_in_a_sentence(promised: Path, refuse: Refuse, run: Run) -> None:
    result = run(sys.executable, "release/tools/gate.py", "no-such", cwd=promised, check=False)
    assert "no-such is no folder" in result.stdout
    (promised / "release" / "wheels.txt").write_text("manylinux_z80 abi3")
    assert "wheels.txt, line 1: no platform 'manylinux_z80'" in refuse()
    (promised / "release" / "wheels.txt").unlink()
    assert "wheels.txt is missing" in refuse()


def test_it_is_a_session_too(promised: Path, run: Run) -> None:
    result = run("nox", "-s", "gate", "--", "dist", "--tag", "v0.1.1", cwd=promised, check=False)
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


def test_libraries_that_a_repair_has_added_pass(promised: Path, run: Run, refuse: Refuse) -> None:
    """auditwheel and delvewheel put them next to the package; nothing else may be there."""
    folder = "fast_doubles.libs"
    for name in ("libz-0123abcd.so", "libssl-0123abcd.so.3"):
        replace(extra=f"{folder}/{name}")(promised)
        run(sys.executable, "release/tools/gate.py", "dist", cwd=promised)
    replace(extra=f"{folder}/x.pyc")(promised)
    assert "W001" in refuse()
    replace(extra="leftover/x.py")(promised)
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
