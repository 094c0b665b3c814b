"""One run of all variants and interfaces on all inputs: `nox -s benchmarks` calls it.

Each row is checked against the oracle, the rendered package's plain Python reference; each row's
`extra_info` says what it measured, for report.py.
"""

import sys
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from itertools import product

import fast_doubles
import pytest
import reference
from interfaces import INTERFACES, through_ctypes_undeclared
from pytest_benchmark.fixture import BenchmarkFixture
from results import OURS
from texts import HUGE, MILLION, SCRIPTS, text
from variants import VARIANTS, Variant

if fast_doubles._native.DEBUG:
    pytest.exit("debug build: its times would mean nothing. Install a release build.", 2)

SECONDS = 0.4  # that one row may take
CALLS = 1000  # of a short input, at a time: one call is shorter than the clock is exact

INPUTS = [
    *((script, MILLION, "str") for script in SCRIPTS),
    *((script, 10, "str") for script in SCRIPTS),
    ("ASCII", HUGE, "str"),
    *(("ASCII", length, "bytes") for length in (MILLION, 10, 0, HUGE)),
]
ALL = [*VARIANTS, *(interface for interface in INTERFACES.values() if interface.name != OURS)]
ROWS = [
    pytest.param(variant, *given, id="-".join(map(str, [variant.name, *given])))
    for given, variant in product(INPUTS, ALL)
    if given[2] in (kind.__name__ for kind in variant.takes)
]
rows = pytest.mark.parametrize(("variant", "script", "length", "kind"), ROWS)


def value_of(script: str, length: int, kind: str) -> str | bytes:
    return text(script, length) if kind == "str" else text(script, length).encode()


@cache
def right_answer(counts: str, script: str, length: int, kind: str) -> int:
    value = value_of(script, length, kind)
    if counts == "UTF-8 bytes" and isinstance(value, str):
        value = value.encode()
    return int(reference.count_doubles(value))


def rounds(function: Callable[..., object], *arguments: object) -> int:
    """How often to measure a function, by the time of its first call."""
    start = time.perf_counter()
    function(*arguments)
    return min(200, max(3, int(SECONDS / (time.perf_counter() - start))))


@rows
def test_repeated(
    benchmark: BenchmarkFixture, variant: Variant, script: str, length: int, kind: str
) -> None:
    """The same object, again and again."""
    value = value_of(script, length, kind)
    calls = CALLS if length < CALLS else 1
    row = {"script": script, "length": length, "kind": kind, "mode": "repeated", "calls": calls}
    benchmark.extra_info |= {"variant": variant.name, **row}
    if calls == 1:
        n = rounds(variant.count, value)
        result = benchmark.pedantic(variant.count, (value,), rounds=n)
    else:
        values = [value] * calls

        def call_all() -> int:
            return deque(map(variant.count, values), maxlen=1)[0]

        result = benchmark.pedantic(call_all, rounds=rounds(call_all))
    assert result == right_answer(variant.counts, script, length, kind)


@pytest.mark.parametrize(
    ("variant", "script"),
    [
        pytest.param(variant, script, id=f"{variant.name}-{script}")
        for script, variant in product(SCRIPTS, VARIANTS)
        if str in variant.takes
    ],
)
def test_fresh(benchmark: BenchmarkFixture, variant: Variant, script: str) -> None:
    """The first call on a new string: CPython keeps the UTF-8 copy that some variants ask for."""
    value = text(script, MILLION)

    def fresh() -> str:
        return value[:-1] + value[-1]

    once = fresh()
    before = sys.getsizeof(once)
    n = rounds(variant.count, once)
    row = {"script": script, "length": MILLION, "kind": "str", "mode": "fresh", "calls": 1}
    benchmark.extra_info |= {"variant": variant.name, **row}
    benchmark.extra_info["grows"] = sys.getsizeof(once) - before
    result = benchmark.pedantic(variant.count, setup=lambda: ((fresh(),), {}), rounds=n)
    assert result == right_answer(variant.counts, script, MILLION, "str")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
@pytest.mark.parametrize(
    "value", ["", "a", "aa", "aaa", "ab" * 200, "a" * 300, "я", "яя人人🦀🦀é", "🦀" * 5000 + "a"]
)
def test_odd_inputs_agree_with_the_oracle(variant: Variant, value: str) -> None:
    assert str in variant.takes
    expected = value if variant.counts == "characters" else value.encode()
    assert variant.count(value) == reference.count_doubles(expected)


@pytest.mark.parametrize("interface", INTERFACES.values(), ids=INTERFACES)
@pytest.mark.parametrize("value", [b"", b"a", b"aa", b"\0\0a\0\0", b"\xff" * 300, b"ab" * 200])
def test_interfaces_agree_with_the_oracle(interface: Variant, value: bytes) -> None:
    assert interface.count(value) == reference.count_doubles(value)


def test_ctypes_without_declarations_miscounts_a_str() -> None:
    """It passes a `str` as wide characters, each with zeros behind it, and raises no error."""
    assert through_ctypes_undeclared(b"aa") == 1
    assert through_ctypes_undeclared("aa") == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script != "ASCII"])
def test_counting_utf8_bytes_is_wrong_for_other_scripts(script: str) -> None:
    characters, data = (
        right_answer(counts, script, MILLION, "str") for counts in ("characters", "UTF-8 bytes")
    )
    assert characters != data
