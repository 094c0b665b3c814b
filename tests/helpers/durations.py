"""Where the time of a run went: seconds for each test file, and when each worker was done."""

from collections import defaultdict
from collections.abc import Iterable

import pytest


def seconds_by_file(reports: Iterable[pytest.TestReport]) -> dict[str, float]:
    """The time of all tests of each file, with their fixtures: path to seconds, longest first."""
    seconds: dict[str, float] = defaultdict(float)
    for report in reports:
        seconds[report.nodeid.partition("::")[0]] += report.duration
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def idle_at_the_end(reports: Iterable[pytest.TestReport]) -> dict[str, float]:
    """How long each worker of pytest-xdist had nothing to do before the last one was done."""
    stopped: dict[str, float] = {}
    for report in reports:
        worker = getattr(report, "worker_id", None) or "the only worker"
        stopped[worker] = max(report.stop, stopped.get(worker, 0.0))
    last = max(stopped.values(), default=0.0)
    return {worker: last - stop for worker, stop in sorted(stopped.items())}


def table(reports: list[pytest.TestReport], longest: int = 15) -> list[str]:
    """Lines that show both: the longest files, the rest in one line, the workers.

    Args:
        reports: of all phases of all tests.
        longest: how many files get a line of their own.

    Returns:
        The lines; none where no test was run.
    """
    files = list(seconds_by_file(reports).items())
    if not files:
        return []
    lines = [f"{seconds:7.1f} s  {file}" for file, seconds in files[:longest]]
    if rest := files[longest:]:
        total = sum(seconds for _, seconds in rest)
        lines.append(f"{total:7.1f} s  {len(rest)} other files")
    idle = [f"{worker} {seconds:.0f} s" for worker, seconds in idle_at_the_end(reports).items()]
    lines.append(f"Waited for the last worker at the end: {', '.join(idle)}")
    return lines
