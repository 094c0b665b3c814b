"""What the hooks refuse, and what they leave behind."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from cookiecutter.prompt import prompt_for_config
from hypothesis import assume, given, settings, strategies
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.fixture_types import Render, Run
from helpers.rendering import hook, record, tree_of
from tools.machine import GIT, pythons
from tools.template import BACKENDS, COMBINATIONS, DEFAULTS, PYTHONS, SETTINGS, TEMPLATE


@pytest.fixture(scope="module")
def complain() -> Callable[..., list[str]]:
    """The complaints of the hook about the default answers, with some of them changed."""
    complaints = hook("pre_gen_project").complaints
    return lambda **answers: list(complaints(DEFAULTS | answers))


TEXT = [
    "",
    "   ",
    " before",
    "after ",
    "\xa0x",
    "x\n",
    "two\nlines",
    "tab\there",
    "bell\a",
    "line\u2028separator",
    "esc\x1b[31m",
]

# fmt: off
BAD_ANSWERS = {
    "project_name": TEXT,
    "project_slug": [
        "", " ", "-", "-fast", "fast-", "_fast", "fast_", ".fast", "fast.", "fast doubles",
        "fast/doubles", "../fast", "/tmp/fast", "fast\\doubles", "fäst", "快", "fast+doubles",
        "fast@1", "fast'", 'fast"', "fast:doubles", "fast\nslow", "con", "NUL", "aux.txt",
        "x" * 65, "a..b/..", "~", "$HOME", "`id`", "pytest", "Setuptools.Rust", "typing-extensions",
        "PyTest", "NOX", "Maturin", "NumPy", "Con.x", "prn", "com1.tar", "LPT9", "json", "Typing",
        "lib2to3",
    ],
    "package_name": [
        "", "fast-doubles", "fast.doubles", "fast doubles", "1fast", "Fast", "FAST", "fäst", "快",
        "class", "match", "None", "async", "json", "sys", "typing", "tests", "native", "rust",
        "python", "pytest", "reference", "setup", "nox", "con", "lpt1", "_", "__", "../fast",
        "x" * 65, "import os", "a\nb", "packaging", "pluggy", "_native", "typing_extensions",
        "numpy", "maturin", "setuptools_rust", "properties", "test_properties", "test_packaging",
        "sample_text", "installer",
        "distutils", "telnetlib", "annotationlib", "sitecustomize", "usercustomize",
        "__init__", "__main__", "__pycache__", "aux", "nul",
    ],
    "description": TEXT,
    "author_name": TEXT,
    "author_email": [
        "", "me", "me@", "@example.com", "me@@example.com", "me at example.com", "me@exam ple.com",
        "Me <me@example.com>", 'me"@example.com', "me@example.com\n", "a@b,c@d", "a\\b@c",
        "me@localhost", "a..b@example.com", ".a@example.com", "a.@example.com", "a@b..com",
        "用户@例子.广告", "m\0e@example.com", "me@exam\x7fple.com", "me@\ud800.com",
    ],
    "github_owner": [
        "", "@me", "me/you", "my name", "-me", "me--you", "mé", "https://github.com/me", "x" * 40,
        "me\n",
    ],
}
# fmt: on
BAD = [(key, answer) for key, answers in BAD_ANSWERS.items() for answer in answers]


def test_the_list_of_bad_answers_is_long_and_has_no_doubles() -> None:
    assert len(BAD) >= 40
    assert len(set(BAD)) == len(BAD)


@pytest.mark.parametrize(("key", "answer"), BAD)
def test_bad_answer_is_refused_in_one_sentence(
    complain: Callable[..., list[str]], key: str, answer: str
) -> None:
    (complaint,) = complain(**{key: answer})
    assert complaint.startswith(f"{key} is ")
    assert repr(answer) in complaint
    assert complaint.endswith(".")
    assert len(complaint.splitlines()) == 1


GOOD = [
    ("project_slug", "Fast.Doubles_2"),
    ("project_slug", "a"),
    ("project_slug", "7zip"),
    ("project_slug", "x" * 64),
    ("project_slug", "a--b"),
    ("project_slug", "console"),
    ("package_name", "f"),
    ("package_name", "_private"),
    ("package_name", "fast_doubles2"),
    ("package_name", "x" * 64),
    ("project_name", "L'été — 人人 🦀"),
    ("project_name", "-n"),
    ("description", "100 % \"quoted\" 'text' \\ {with} #everything"),
    ("description", "عربي ‏"),
    ("description", "x" * 512),
    ("author_name", "Seán O'Brien"),
    ("author_name", "毛泽东"),
    ("author_email", "first.last+tag@mail.example.co.uk"),
    ("author_email", "me@例子.广告"),
    ("author_email", "o'brien{}$`|~!@x.y"),
    ("github_owner", "PyO3"),
    ("github_owner", "a-b-c"),
    ("github_owner", "x" * 39),
]


@pytest.mark.parametrize(("key", "answer"), GOOD)
def test_good_answer_is_accepted(complain: Callable[..., list[str]], key: str, answer: str) -> None:
    assert complain(**{key: answer}) == []


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("project_slug", "../fast"),
        ("project_slug", "a/b/c"),
        ("project_slug", ""),
        ("project_slug", ".."),
        ("project_slug", "{{cookiecutter.project_slug}}"),
        ("project_slug", "fäst"),
        ("package_name", "class"),
        ("description", "two\nlines"),
        ("author_email", "nobody"),
        ("github_owner", "me/you"),
    ],
)
def test_refusal_leaves_nothing_behind(run: Run, tmp_path: Path, key: str, answer: str) -> None:
    output = tmp_path / "deep" / "output"
    output.mkdir(parents=True)
    answers = ["project_slug=sound", "package_name=sound"]
    command = ["cookiecutter", TEMPLATE, "--no-input", f"--output-dir={output}", *answers]
    result = run(*command, f"{key}={answer}", cwd=tmp_path, check=False)
    assert result.returncode != 0
    assert f"cookiecutter-pyo3-wheel: {key} is {answer!r}" in result.stdout
    assert "Traceback" not in result.stdout
    assert [file for file in tmp_path.rglob("*") if file not in (output, output.parent)] == []


@pytest.mark.skipif(sys.platform == "win32", reason="the command is run by a shell of POSIX")
def test_the_message_has_a_command_that_gives_the_other_answers(run: Run, tmp_path: Path) -> None:
    given = {
        "project_name": 'It\'s "Fast" $HOME `id` \\ {{ 7 * 7 }}',
        "description": "'; echo traps; '",
        "author_name": "Ada Lovelace",
        "build_backend": "setuptools-rust",
        "license": "MIT OR Apache-2.0",
    }
    refused = {"project_slug": "a/b", "author_email": "nobody"}
    words = [f"{key}={answer}" for key, answer in (given | refused).items()]
    start = ("cookiecutter", TEMPLATE, "--no-input", f"--output-dir={tmp_path}")
    printed = run(*start, *words, cwd=tmp_path, check=False).stdout
    (command,) = re.findall(r"^    (cookiecutter .*)", printed, re.M)
    assert not any(key in command for key in (*refused, "package_name"))
    # With the refused ones, as if they had been typed.
    better = "--no-input project_slug=sound author_email=ada@example.org"
    run("sh", "-c", f"{command} {better}", cwd=tmp_path)
    answers = record(tmp_path / "sound")["answers"]
    assert {key: answers[key] for key in given} == given
    assert answers["package_name"] == "sound"


def test_a_refusal_to_overwrite_has_no_such_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fast-doubles").mkdir()
    (tmp_path / "fast-doubles" / "README.md").touch()
    start = ("cookiecutter", TEMPLATE, "--no-input", "--overwrite-if-exists")
    printed = run(*start, cwd=tmp_path, check=False).stdout
    assert "already, and would lose them" in printed
    assert "Nothing was made" not in printed


def test_description_that_pypi_refuses(complain: Callable[..., list[str]]) -> None:
    (complaint,) = complain(description="x" * 513)
    assert complaint.endswith(
        "xxx'... and 513 characters long: PyPI takes 512 characters, README.md has room for more."
    )


def test_every_bad_answer_is_named_at_once(complain: Callable[..., list[str]]) -> None:
    complaints = complain(package_name="class", author_email="me", github_owner="@me")
    assert [complaint.split()[0] for complaint in complaints] == [
        "package_name",
        "author_email",
        "github_owner",
    ]


@pytest.mark.parametrize(
    ("slug", "package"),
    [
        ("", ""),
        ("con", "con"),
        ("Pytest", "pytest"),
        ("-fast", "_fast"),
        ("x" * 65, "x" * 64),
        ("3D Fun", "py3d fun"),
    ],
)
def test_name_made_from_a_refused_one_gets_no_sentence_of_its_own(
    complain: Callable[..., list[str]], slug: str, package: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TEMPLATE)  # as cookiecutter does
        context = {"cookiecutter": SETTINGS | {"project_slug": slug}}
        assert prompt_for_config(context, no_input=True)["package_name"] == package
    (complaint,) = complain(project_slug=slug, package_name=package)
    assert complaint.startswith("project_slug is ")


@pytest.mark.parametrize(
    ("name", "slug", "package"),
    [
        ("Fast " * 40, "fast-" * 12 + "fast", "fast_" * 12 + "fast"),
        ("fast" * 40, "fast" * 16, "fast" * 16),
        ("L'été — 人人 🦀", "l-ete-ren-ren", "l_ete_ren_ren"),
        ("Fast_Doubles 2.0", "fast-doubles-2-0", "fast_doubles_2_0"),
        ("3D Tools", "3d-tools", "py3d_tools"),
        ("7" * 70, "7" * 64, "py" + "7" * 62),
        ("2048", "2048", "py2048"),
        ("🦀", "my-package", "my_package"),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", "my-package", "my_package"),
    ],
)
def test_names_are_made_from_an_ordinary_project_name(
    render: Render, name: str, slug: str, package: str
) -> None:
    project = render(project_name=name.strip())
    assert project.name == slug
    assert [folder.name for folder in (project / "python").iterdir()] == [package]


@settings(deadline=None)
@given(
    name=strategies.text(
        strategies.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1
    )
)
def test_only_a_word_that_is_taken_makes_a_project_name_bad(
    complain: Callable[..., list[str]], name: str
) -> None:
    assume(name == name.strip())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TEMPLATE)  # as cookiecutter does
        context = {"cookiecutter": SETTINGS | {"project_name": name}}
        answers = prompt_for_config(context, no_input=True)
    names = {key: answers[key] for key in ("project_name", "project_slug", "package_name")}
    for complaint in complain(**names):
        assert re.search("keyword|standard library|tools or files|device|for itself", complaint)


def test_no_module_of_any_python_can_be_shadowed(
    complain: Callable[..., list[str]], run: Run, tmp_path: Path
) -> None:
    """The hook may run on another Python than the project will."""
    question = "import sys; print(*sorted(sys.stdlib_module_names))"
    for python in pythons().values():
        modules = run(python, "-c", question, cwd=tmp_path).stdout.split()
        public = [name for name in modules if not name.startswith("_") and name.islower()]
        assert len(public) > 150
        for name in public:
            assert complain(package_name=name), (python, name)


# Where a project is built and tested: the markers of its tools hold in one of these or in none.
MACHINES = [
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": "nt" if platform == "win32" else "posix",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    for version in PYTHONS
    for platform, system in (("linux", "Linux"), ("win32", "Windows"), ("darwin", "Darwin"))
]


def brought(tool: str) -> tuple[set[str], list[str]]:
    """The names to import that a tool brings, and what it requires."""
    try:
        installed = distribution(tool)
    except PackageNotFoundError:  # it is for other systems or Pythons
        return {tool.replace("-", "_")}, []
    names = set()
    for file in installed.files or []:
        name, _, ending = file.parts[0].partition(".")
        is_folder = len(file.parts) > 1
        if (is_folder and not ending) or (not is_folder and file.suffix in (".py", ".so", ".pyd")):
            names.add(name)
    # mypy's compiled modules are named after a hash.
    names = {name for name in names if name.isidentifier() and not name.endswith("__mypyc")}
    return names, installed.requires or []


def test_no_module_of_the_projects_own_tools_can_be_shadowed(
    complain: Callable[..., list[str]], render: Render
) -> None:
    tools: list[str] = []
    for backend in BACKENDS:
        manifest = tomllib.loads(
            (render(build_backend=backend) / "pyproject.toml").read_text("utf-8")
        )
        groups = manifest["dependency-groups"]
        tools += [tool for tool in groups["lint"] + groups["wheel"] if isinstance(tool, str)]
        tools += [tool for group in ("test", "property", "bench") for tool in groups[group]]
        tools += manifest["build-system"]["requires"]
    known: set[str] = set()
    while tools:
        requirement = Requirement(tools.pop())
        tool = canonicalize_name(requirement.name)
        marker = requirement.marker
        if tool in known or (marker and not any(map(marker.evaluate, MACHINES))):
            continue
        known.add(tool)
        names, needed = brought(tool)
        tools += needed
        for name in names:
            assert complain(package_name=name), f"{name}, of {tool}"
    assert {"pytest", "mypy", "maturin", "setuptools", "colorama"} <= known


OWN = {  # a project that was there before: files of the rendering's names, and others
    "pyproject.toml": "[project]\n",
    ".github/workflows/own.yml": "on: push\n",
    "python/fast_doubles/own.py": "x = 1\n",
    "notes/own.txt": "mine\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def read(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text("utf-8")
        for file in folder.rglob("*")
        if file.is_file()
    }


def render_over(
    run: Run, output: Path, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Render into a folder where a folder fast-doubles is already."""
    command = ("cookiecutter", TEMPLATE, "--no-input", "--default-config", f"--output-dir={output}")
    return run(*command, *options, cwd=output, check=False, **variables)


@pytest.mark.parametrize("options", [(), ("-f",), ("-f", "-s")], ids=" ".join)
def test_nothing_of_an_existing_project_is_touched(
    run: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    write(tmp_path / "fast-doubles", OWN)
    result = render_over(run, tmp_path, *options)
    assert result.returncode != 0
    if options:
        there = f"{tmp_path / 'fast-doubles'} holds .github, pyproject.toml, python already"
        assert f"cookiecutter-pyo3-wheel: {there}" in result.stdout
        assert "nothing was changed" in result.stdout
    assert read(tmp_path / "fast-doubles") == OWN


def test_a_bad_answer_does_not_delete_an_existing_folder(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "fast-doubles", {"notes/own.txt": "mine\n"})
    result = render_over(run, tmp_path, "-f", "author_email=nobody")
    assert result.returncode != 0
    assert "author_email is 'nobody'" in result.stdout
    assert read(tmp_path / "fast-doubles") == {"notes/own.txt": "mine\n"}


def test_a_file_of_the_folders_name_stays(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fast-doubles").write_text("mine\n")
    assert render_over(run, tmp_path, "-f").returncode != 0
    assert (tmp_path / "fast-doubles").read_text() == "mine\n"


def test_what_is_not_in_the_way_stays_next_to_the_rendering(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "fast-doubles"
    write(project, {"notes/own.txt": "mine\n", ".env": "SECRET=1\n"})
    result = render_over(run, tmp_path, "-f", **GIT)
    assert result.returncode == 0, result.stdout
    assert "with a first commit" in result.stdout
    assert (project / "notes" / "own.txt").read_text() == "mine\n"
    assert (project / "pyproject.toml").exists()
    # Nor does it get into the repository that the hook makes.
    left_out = run("git", "status", "--porcelain", cwd=project).stdout
    assert left_out == "?? .env\n?? notes/\n"


def test_without_hooks_cookiecutter_overwrites_and_deletes(run: Run, tmp_path: Path) -> None:
    """Why the hook refuses -s too, and what its sentence says of --accept-hooks=no."""
    write(tmp_path / "fast-doubles", OWN)
    result = render_over(run, tmp_path, "-f", "-s", "--accept-hooks=no")
    assert result.returncode == 0, result.stdout
    left = read(tmp_path / "fast-doubles")
    assert left["pyproject.toml"] == OWN["pyproject.toml"]
    assert ".github/workflows/own.yml" not in left
    assert "python/fast_doubles/own.py" not in left


def test_the_list_of_project_files_is_what_renderings_have_in_their_folder() -> None:
    """Both hooks read it: what would be overwritten, and what goes into the first commit."""
    trees = {tree_of(answers) for answers in COMBINATIONS}
    files = {line for tree in trees for line in tree.read_text("utf-8").splitlines() if line}
    assert SETTINGS["_project_files"] == sorted({file.split("/")[0] for file in files})
