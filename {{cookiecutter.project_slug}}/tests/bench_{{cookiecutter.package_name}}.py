"""How much faster than Python? `nox -s bench` runs this file; plain pytest does not."""

import random
import string

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import reference
from {{ cookiecutter.package_name }} import _native, count_doubles

if _native.DEBUG:
    pytest.exit("debug build: its times would mean nothing. Install a release build.", 2)

random.seed(0)
TEXTS = {
    "ASCII": "".join(random.choices(string.ascii_letters, k=1_000_000)),
    "Cyrillic": "".join(random.choices("абвгдежзиклмнопрстуфхцчшщыьэюя", k=1_000_000)),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.benchmark(group="one million characters")
class TestCountDoubles:
    def test_rust(self, benchmark: BenchmarkFixture, text: str) -> None:
        assert benchmark(count_doubles, text) > 0

    def test_python(self, benchmark: BenchmarkFixture, text: str) -> None:
        assert benchmark(reference.count_doubles, text) > 0
