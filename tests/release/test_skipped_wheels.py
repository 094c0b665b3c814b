"""A `skip` of [tool.cibuildwheel] that leaves out what release/wheels.txt lists."""

from pathlib import Path

import pytest
from cibuildwheel.selector import BuildSelector, EnableGroup

from helpers.release_programs import plan, platforms

MANIFEST = """\
[project]
requires-python = ">=3.12"
[tool.cibuildwheel]
skip = """
CASES = {
    "nothing of the list": ("manylinux_x86_64 abi3", "*-musllinux_{i686,armv7l} cp38-*", ""),
    "the platform": ("musllinux_x86_64 abi3", "*musl*", "abi3 (*musl*)"),
    "one of two patterns": ("win32 cp312", "*-win32 pp*", "cp312 (*-win32)"),
    "one of the ABIs": ("win32 abi3 cp314t", "cp3??t-*", "cp314t (cp3??t-*)"),
    "the Pythons, one by one": (
        "win_amd64 abi3",
        "cp31{2,3}-* cp31{4,5}-{win_amd64,win32}",
        "abi3 (cp31{2,3}-*, cp31{4,5}-{win_amd64,win32})",
    ),
    "some of the Pythons of abi3": ("win_amd64 abi3", "cp312-* cp315-*", ""),
    "another platform": ("macosx_arm64 abi3", "*-macosx_x86_64", ""),
    "PyPy": ("manylinux_x86_64 cp312 pp312", "pp*", "pp312 (pp*)"),
}


@pytest.mark.parametrize("in_a_list", [True, False], ids=["list", "text"])
@pytest.mark.parametrize(("line", "skip", "left_out"), CASES.values(), ids=CASES)
def test_the_plan_names_what_cibuildwheel_would_skip(
    line: str,
    skip: str,
    left_out: str,
    in_a_list: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = str(skip.split()) if in_a_list else f"'{skip}'"
    (tmp_path / "pyproject.toml").write_text(f"{MANIFEST}{value}\n")
    (tmp_path / "wheels.txt").write_text(f"{line}\n")
    lines = platforms.read_lines(tmp_path / "wheels.txt")
    monkeypatch.setattr(plan, "read_lines", lambda: lines)
    monkeypatch.chdir(tmp_path)
    found = list(plan.problems())
    assert [left_out in sentence for sentence in found] == ([True] if left_out else [])

    enable = frozenset([EnableGroup.PyPy])
    selects = BuildSelector(build_config="*", skip_config=skip, enable=enable)
    platform, *abis = line.split()
    for abi in abis:
        names = [f"cp3{minor}" for minor in range(12, 16)] if abi == "abi3" else [abi]
        built = any(selects(f"{name}-{platform}") for name in names)
        assert built is not left_out.startswith(f"{abi} ")
