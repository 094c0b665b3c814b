"""What does the stable ABI cost? `nox -s abi-cost` runs this file on two wheels of one source.

The benchmarks are run on both in turn, each time in a new process. `test_python` runs no Rust: what
it differs by is noise. In those processes, this file is a plugin of pytest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Note which libraries this process has loaded."""
    files = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
    output_json["libraries"] = [file for file in files if file.endswith(tuple(EXTENSION_SUFFIXES))]


def is_python(benchmark: str) -> bool:
    """Whether a benchmark measures the same function in plain Python."""
    return "test_python" in benchmark.partition("[")[0]


def measure(wheel: Path, arguments: Sequence[str]) -> dict[str, float]:
    """Run the benchmarks once, in a process of their own.

    Args:
        wheel: The folder that the wheel is installed to.
        arguments: Those of pytest.

    Returns:
        The seconds of CPU time that each benchmark takes.

    Exits with what pytest printed, if a benchmark fails; with a sentence, if the wheel was not
    imported, or there is nothing to compare.
    """
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder, "times.json")
        # -P: the working folder, which may hold the package's sources, is not searched.
        command = [sys.executable, "-P", "-m", "pytest", "-Wdefault", "-p", Path(__file__).stem]
        # CPU time: what other programs do disturbs it less.
        options = ["--benchmark-timer=time.process_time", f"--benchmark-json={times}", *arguments]
        path = os.pathsep.join([str(wheel), str(Path(__file__).parent)])
        run = subprocess.run(
            [*command, *options],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        text = times.read_text("utf-8") if times.exists() else ""
    if run.returncode or not text:
        sys.exit(f"{run.stdout}\nThe benchmarks fail with {wheel.name}: pytest says why, above.")
    result = json.loads(text)
    # A quarter of the calls is quicker. What disturbs a call makes it slower, hardly ever quicker.
    rows = result["benchmarks"]
    taken = {row["fullname"].partition("::")[2]: row["stats"]["q1"] for row in rows}
    if not any(wheel in Path(file).parents for file in result["libraries"]):
        loaded = "\n".join(result["libraries"])
        sys.exit(
            f"{loaded}\nThese libraries were loaded, and none of them from {wheel}: does pytest's "
            "`pythonpath`, or a conftest.py, name another folder?"
        )
    if len({is_python(name) for name in taken}) < 2:
        sys.exit(
            f"The benchmarks are {', '.join(taken)}. One has to be called test_rust, and one "
            "test_python: without Python's there is no telling the cost from noise."
        )
    return taken


def report(stable: Mapping[str, list[float]], specific: Mapping[str, list[float]]) -> str:
    """Compare the times of the two wheels.

    Args:
        stable: The seconds that each benchmark takes with the stable ABI, round by round.
        specific: The same with the wheel for this Python alone.

    Returns:
        A table, the noise, and the benchmarks that differ by more than it.
    """
    quartiles = {
        name: statistics.quantiles(
            [one / other for one, other in zip(stable[name], specific[name], strict=True)],
            n=4,
            method="inclusive",
        )
        for name in sorted(stable, key=is_python)
    }
    noise = [ratio for name in quartiles if is_python(name) for ratio in quartiles[name]]
    least, most = min(1, *noise), max(1, *noise)
    table = [["", "stable ABI", "this Python", "ratio", "middle half"]]
    outside = []
    for name, (low, middle, high) in quartiles.items():
        times = [shown(statistics.median(taken[name])) for taken in (stable, specific)]
        table.append([name, *times, f"{middle:.3f}", f"{low:.3f} to {high:.3f}"])
        if not is_python(name) and (low > most or high < least):
            word = "slower" if middle > 1 else "faster"
            outside.append(f"{name} is {abs(middle - 1):.1%} {word} with the stable ABI")
    width = max(len(row[0]) for row in table)
    lines = [f"{name:{width}}" + "".join(f"{cell:>17}" for cell in row) for name, *row in table]
    lines.append(f"Noise: from {least:.3f} to {most:.3f}, the ratios of test_python.")
    return "\n".join([*lines, *(outside or ["No benchmark of Rust differs by more than that."])])


def shown(seconds: float) -> str:
    """A time in the unit that suits it."""
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    unit = next((unit for unit, size in units.items() if seconds >= size), "ns")
    return f"{seconds / units[unit]:.4g} {unit}"


def main() -> None:
    """Measure and print, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("stable", type=Path, help="folder with the installed abi3 wheel")
    parser.add_argument("specific", type=Path, help="folder with the one for this Python alone")
    parser.add_argument("--rounds", type=int, default=10, help="how often each is measured (10)")
    options, arguments = parser.parse_known_args()
    if options.rounds < 2:
        parser.error(f"--rounds={options.rounds}: it takes 2 or more to see how they differ")
    wheels = (options.stable.resolve(), options.specific.resolve())
    times: dict[Path, dict[str, list[float]]] = {wheel: {} for wheel in wheels}
    for number in range(options.rounds):
        print(f"Round {number + 1} of {options.rounds}", flush=True)
        # Each comes first in every second round: a machine that slows down favours neither.
        for wheel in reversed(wheels) if number % 2 else wheels:
            for name, seconds in measure(wheel, arguments).items():
                times[wheel].setdefault(name, []).append(seconds)
    print(report(*times.values()))


if __name__ == "__main__":
    main()
