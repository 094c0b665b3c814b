"""What the project's CONTRIBUTING.md shows: its function and its class compile and do as said."""

import re

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Render, Run
from helpers.pages import edit, read
from tools.machine import oldest_python

pytestmark = pytest.mark.builds

# What users see of the page's function and class.
TEST = """
import inspect
import re

import pytest

from fast_doubles import Point, shorten


def test_every_kind_of_argument() -> None:
    assert shorten(["letter", "io"]) == (["let", "io"], 3)
    assert shorten(["letter"], 2) == (["le"], 4)
    assert shorten(["äöü"], length=1, upper=True, end=".") == (["Ä."], 2)
    with pytest.raises(ValueError, match="^length is 0: it must be 1 or more$"):
        shorten([], 0)
    with pytest.raises(TypeError):
        shorten(["letter"], 2, True)  # type: ignore[call-arg]


def test_a_class_has_its_public_name() -> None:
    point = Point(3, 4)
    assert (point.x, point.y, repr(point)) == (3.0, 4.0, "Point(3, 4)")
    assert point == Point(3, 4)
    assert point != Point(3, 5)
    assert point.distance(Point(0, 0)) == 5.0
    assert Point.__module__ == "fast_doubles"
    with pytest.raises(AttributeError, match=re.escape("'fast_doubles.Point' object")):
        point.x = 1.0  # type: ignore[misc]


def test_the_function_has_a_signature_and_help() -> None:
    assert str(inspect.signature(shorten)) == "(words, /, length=3, *, upper=False, end=None)"
    assert (shorten.__doc__ or "").startswith("Shorten words to a length")
"""


def test_the_function_and_the_class_of_the_page(render: Render, run: Run) -> None:
    project = render()
    page = read(project / "CONTRIBUTING.md").section("What to write in `rust/python.rs`")
    function, point = page.blocks("rust")
    bindings = project / "rust" / "python.rs"
    edit(
        bindings,
        "use pyo3::exceptions::PyTypeError;",
        "use pyo3::exceptions::{PyTypeError, PyValueError};",
    )
    edit(bindings, "    /// Count the adjacent", f"{function}\n{point}\n    /// Count the adjacent")
    package = project / "python" / "fast_doubles"
    with (package / "_native.pyi").open("a") as stub:
        stub.write("\n" + "\n".join(page.blocks("pyi")))
    edit(package / "_native.pyi", '    "DEBUG",\n', '    "DEBUG",\n    "Point",\n    "shorten",\n')
    edit(package / "_native.pyi", "import Final", "import Final, final")
    edit(
        package / "__init__.py",
        "    count_doubles,\n",
        "    Point,\n    count_doubles,\n    shorten,\n",
    )
    edit(
        package / "__init__.py",
        '    "count_doubles",\n',
        '    "Point",\n    "count_doubles",\n    "shorten",\n',
    )
    (project / "tests" / "test_page.py").write_text(TEST, "utf-8")
    run("nox", "--session", "fix", cwd=project)
    sessions = ("lint", "rust", f"tests-{oldest_python()}")
    printed = run("nox", "--sessions", *sessions, cwd=project, **QUICK).stdout
    assert "tests/test_page.py ..." in printed


LINT = ("nox", "--session", "lint")
RUST = ("nox", "--session", "rust")


def test_a_wrong_format_is_named_with_its_remedy_and_hides_nothing(
    render: Render, run: Run
) -> None:
    project = render()
    edit(project / "tests" / "reference.py", "from itertools", "from  itertools")
    edit(project / "rust" / "kernel.rs", "pub fn count", "pub  fn count")
    printed = run(*LINT, cwd=project, check=False).stdout
    assert "ruff format --check: `nox -s fix` formats it" in printed
    assert "Success: no issues found" in printed  # mypy ran all the same
    assert "No findings to report" in printed  # and zizmor
    printed = run(*RUST, cwd=project, check=False, **QUICK).stdout
    assert "cargo fmt --check: `nox -s fix` formats it" in printed
    assert "test result: ok. " in printed
    assert printed.count("Finished `dev` profile") >= 2  # clippy, twice
    run("nox", "--session", "fix", cwd=project)
    run(*LINT, cwd=project)
    edit(project / "tests" / "reference.py", "def count", "def  count")
    (project / "tests" / "unused.py").write_text("import  os\n\nprint(missing)\n", "utf-8")
    printed = run("nox", "--session", "fix", cwd=project, check=False).stdout
    assert "F821 Undefined name `missing`" in printed
    assert "Session fix failed" in printed  # after all that can be repaired was repaired:
    assert "def count" in (project / "tests" / "reference.py").read_text("utf-8")
    assert (project / "tests" / "unused.py").read_text("utf-8") == "print(missing)\n"
    (project / "tests" / "unused.py").unlink()
    run(*RUST, cwd=project, **QUICK)


def test_every_failed_check_is_named(render: Render, run: Run) -> None:
    project = render()
    edit(project / "tests" / "reference.py", "-> int", "-> str")
    edit(project / "noxfile.py", "import shutil\n", "import shutil\nimport string\n")
    workflow = project / ".github" / "workflows" / "ci.yml"
    edit(workflow, "nox --session lint", "echo ${{ github.event.pull_request.title }}")
    printed = run(*LINT, cwd=project, check=False).stdout
    assert "F401" in printed
    assert "Incompatible return value type" in printed
    assert "template-injection" in printed
    named = printed[printed.index("Failed:") :]
    assert re.findall(r"^(ruff check|mypy|zizmor)\b", named, re.M) == [
        "ruff check",
        "mypy",
        "zizmor",
    ]
    assert "ruff check: `nox -s fix` repairs what it can" in named


LOOP = """\
    let mut hits = 0;
    for i in 0..text.len() {
        hits += usize::from(text[i] == 7);
    }
    hits
"""
SEVENS = f"""\
/// A loop of a textbook.
pub fn sevens(text: &[u8]) -> usize {{
{LOOP}}}

/// Counts the adjacent"""


def test_a_loop_of_a_textbook_passes_and_nonsense_does_not(render: Render, run: Run) -> None:
    project = render()
    kernel = project / "rust" / "kernel.rs"
    edit(kernel, "/// Counts the adjacent", SEVENS)
    run(*RUST, cwd=project, **QUICK)
    assert "needless_range_loop" in run("cargo", "clippy", cwd=project, **QUICK).stdout

    edit(kernel, LOOP, "    let length = text.len();\n    length / length\n")
    printed = run(*RUST, cwd=project, check=False, **QUICK).stdout
    assert "clippy::eq_op" in printed
    assert "`#[allow(clippy::NAME)]` above the function allows that" in printed

    edit(kernel, "pub fn sevens", "#[allow(clippy::eq_op)]\npub fn sevens")
    run(*RUST, cwd=project, **QUICK)


def test_a_name_that_the_kernel_lacks_is_said_to_be_missing_there(render: Render, run: Run) -> None:
    project = render()
    kernel = project / "rust" / "kernel.rs"
    kernel.write_text(kernel.read_text("utf-8").replace("count_doubles", "count_twins"))
    printed = run(*RUST, cwd=project, check=False, **QUICK).stdout
    assert "does rust/kernel.rs have what that calls?" in printed
    assert "test result: ok. " in printed


def test_each_pair_of_a_benchmark_is_printed(render: Render, run: Run) -> None:
    """Two classes of one group, one without parameters; and functions outside a class."""
    project = render()
    bench = project / "tests" / "bench_fast_doubles.py"
    with bench.open("a") as file:
        file.write(
            """

class TestShort:
    def test_rust(self, benchmark: BenchmarkFixture) -> None:
        benchmark(count_doubles, "a")

    def test_python(self, benchmark: BenchmarkFixture) -> None:
        benchmark(reference.count_doubles, "a")


def test_rust_bytes(benchmark: BenchmarkFixture) -> None:
    benchmark(count_doubles, b"aa")


def test_python_bytes(benchmark: BenchmarkFixture) -> None:
    benchmark(reference.count_doubles, b"aa")


@pytest.mark.benchmark(group="one million characters")
class TestOther:
    @pytest.mark.parametrize("text", ["a::b"])
    def test_rust(self, benchmark: BenchmarkFixture, text: str) -> None:
        benchmark(count_doubles, text)

    @pytest.mark.parametrize("text", ["a::b"])
    def test_python(self, benchmark: BenchmarkFixture, text: str) -> None:
        benchmark(reference.count_doubles, text)
"""
        )
    printed = run("nox", "--session", "bench", cwd=project, **QUICK).stdout
    labels = re.findall(r"^nox > (.*): Rust is [\d,.]+ times as fast as Python$", printed, re.M)
    group = "one million characters"
    assert sorted(labels) == sorted(
        [
            f"TestCountDoubles, {group}, [ASCII]",
            f"TestCountDoubles, {group}, [Cyrillic]",
            "TestShort",
            "bytes",
            f"TestOther, {group}, [a::b]",
        ]
    )
