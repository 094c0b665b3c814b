"""Prints, as JSON, by how many bytes counting in 100 MB of ASCII text raises a process's peak.

One process for each variant, which calls this file with the variant's name.
"""

import json
import resource
import subprocess
import sys

from texts import HUGE
from variants import NAMED


def peak() -> int:
    """The most memory that this process has held so far, in bytes (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def growth(variant: str) -> int:
    """By how many bytes one call of a variant raises the peak of this process."""
    count = NAMED[variant].count
    text = "ab" * (HUGE // 2)
    count("warm up")
    before = peak()
    count(text)
    return peak() - before


def growth_elsewhere(variant: str) -> int:
    """The same in a new process: a peak never falls."""
    command = [sys.executable, __file__, variant]
    return int(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


if len(sys.argv) > 1:
    print(growth(sys.argv[1]))
else:
    print(json.dumps({variant: growth_elsewhere(variant) for variant in NAMED}))
