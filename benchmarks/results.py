"""The measurements of one run, read from the files that `nox -s benchmarks` leaves behind."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from texts import MILLION

OURS = "this template's wheel"  # the row that all others are compared with


class Results:
    """One run. Times are medians in seconds, memory is in bytes, bandwidth in GB/s."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> Any:
            return json.loads((folder / name).read_text("utf-8"))

        times = read("times.json")
        self.machine: dict[str, Any] = times["machine_info"]
        self.date = date.fromisoformat(times["datetime"][:10])
        self.peak: dict[str, int] = read("memory.json")
        self.gil: list[dict[str, Any]] = read("gil.json")
        self.bandwidth: dict[tuple[str, int], float] = {}
        for file in folder.glob("criterion/bandwidth/*/*/new/estimates.json"):
            function, size = file.parts[-4], int(file.parts[-3])
            nanoseconds = json.loads(file.read_text("utf-8"))["median"]["point_estimate"]
            self.bandwidth[function, size] = size / nanoseconds
        self.times: dict[tuple[str, str, int, str, str], float] = {}
        self.grows: dict[tuple[str, str], int] = {}
        for row in times["benchmarks"]:
            info = row["extra_info"]
            if info:
                given = (info["variant"], info["script"], info["length"], info["kind"])
                self.times[*given, info["mode"]] = row["stats"]["median"] / info["calls"]
                if "grows" in info:
                    self.grows[info["variant"], info["script"]] = info["grows"]

    def time(
        self,
        variant: str,
        script: str = "ASCII",
        length: int = MILLION,
        kind: str = "str",
        mode: str = "repeated",
    ) -> float:
        """Seconds of one call. Raises KeyError if the variant does not take such a value."""
        return self.times[variant, script, length, kind, mode]
