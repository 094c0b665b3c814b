"""Files of every kind that a project may have, besides those of a rendering."""

from pathlib import Path

from helpers.fixture_types import Run
from helpers.pages import edit
from tools.machine import GIT

# Files of every kind that a project may have, besides those of a rendering.
MORE = {
    "build.rs": 'fn main() {\n    println!("cargo::rustc-check-cfg=cfg(quick)");\n'
    '    println!("cargo::rustc-cfg=quick");\n}\n',
    "rust/words.txt": "aardvark\n",
    "python/fast_doubles/table.json": "[1, 2]\n",
    "python/fast_doubles/.hidden": "hidden\n",
    "python/fast_doubles/.configuration/deep/x": "hidden too\n",
    "python/fast_doubles/data/deep/Ärger ö.txt": "deep\n",
    "tests/data/cases.txt": "aa 1\n",
    "tests/data/.hidden": "hidden\n",
    "tests/data/library.so": "not compiled\n",
    "tests/data/noxfile.py": "NAME = 'like one that is left out'\n",
    "tests/data/release/.github/x y.yml": "a: 1\n",
    "tests/test_data.py": """\
from importlib.resources import files
from pathlib import Path

from fast_doubles import count_doubles


def test_data_is_next_to_the_tests() -> None:
    for line in Path(__file__).with_name("data").joinpath("cases.txt").read_text().splitlines():
        text, doubles = line.split()
        assert count_doubles(text) == int(doubles)


def test_data_is_in_the_package() -> None:
    package = files("fast_doubles")
    assert package.joinpath("table.json").read_text() == "[1, 2]\\n"
    assert [file.name for file in package.joinpath("data", "deep").iterdir()] == ["Ärger ö.txt"]
""",
    "examples/count.py": "import fast_doubles\n",
    "examples/crate/Cargo.toml": '[package]\nname = "example"\nversion = "0.1.0"\n\n[workspace]\n',
    "examples/crate/src/lib.rs": "//! An example.\n",
    "docs/index.md": "# Docs\n",
}
# The flag of the project: without it, and without build.rs and words.txt, nothing compiles.
FLAGS = '\n[build]\nrustflags = ["--cfg", "marked"]\n'
DEMANDS = """
#[cfg(not(quick))]
compile_error!("build.rs did not run");
#[cfg(not(marked))]
compile_error!("the flag of .cargo/config.toml is lost");
const _: &str = include_str!("words.txt");
"""


def add_files(project: Path, run: Run, *, commit: bool = True) -> None:
    """Add a file of every kind to a rendering; some of them have to arrive for it to compile."""
    for name, content in MORE.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    manifest = project / "Cargo.toml"
    lints = '[lints.rust]\nunexpected_cfgs = { level = "warn", check-cfg = ["cfg(marked)"] }\n\n'
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("[profile.dev]", f"{lints}[profile.dev]"), "utf-8")
    for name, more in {".cargo/config.toml": FLAGS, "rust/lib.rs": DEMANDS}.items():
        with (project / name).open("a", encoding="utf-8") as opened:
            opened.write(more)
    run("git", "add", "--force", "--all", cwd=project)
    if commit:
        run("git", "commit", "--quiet", "--message=Files of every kind", cwd=project, **GIT)


def depend_on_tinylib(project: Path) -> None:
    """Let a rendering need `make_tinylib`'s package, and import it in its tests."""
    manifest = project / "pyproject.toml"
    edit(manifest, "\nclassifiers", '\ndependencies = ["tinylib"]\nclassifiers')
    test = project / "tests" / "test_fast_doubles.py"
    test.write_text(f"import tinylib as tinylib\n{test.read_text('utf-8')}", "utf-8")
