"""Counts the doubles of a real text with an installed rendering, and with its Python reference.

Usage: python real_text.py WHEEL TESTS, in an environment with the wheel installed;
TESTS is the rendered project's folder of tests, which holds the reference.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics

from fast_doubles import _native, count_doubles


def real_text(least: int) -> str:
    """Python's own manual of the language, repeated to at least `least` characters."""
    manual = "\n".join(topics.values())
    return manual * (least // len(manual) + 1)


def best_time(count: Callable[[str], int], text: str, rounds: int) -> tuple[int, float]:
    """Count `rounds` times; return the count and the shortest time, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = count(text)
        times.append(time.perf_counter() - start)
    return result, min(times)


def main(wheel: Path, tests: Path) -> None:
    """Print a table: the wheel, the text, both counts, both times, their ratio."""
    sys.path.insert(0, str(tests))
    import reference

    text = real_text(10_000_000)
    rust_count, rust = best_time(count_doubles, text, 20)
    python_count, python = best_time(reference.count_doubles, text, 2)
    if rust_count != python_count:
        sys.exit(f"Rust counts {rust_count} doubles, Python {python_count}: one is wrong.")

    library = Path(_native.__file__)
    rows = [
        ("wheel", f"{wheel.name}, {wheel.stat().st_size:,} bytes"),
        ("library in it", f"{library.name}, {library.stat().st_size:,} bytes"),
        ("text", f"Python's language reference, {len(text):,} characters"),
        ("doubles in it", f"{rust_count:,} (Rust and Python agree)"),
        ("Rust", f"{rust * 1e3:,.2f} ms"),
        ("Python", f"{python * 1e3:,.2f} ms"),
        ("ratio", f"Rust is {python / rust:,.0f} times as fast"),
    ]
    print()
    for name, value in rows:
        print(f"  {name:14} {value}")
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
