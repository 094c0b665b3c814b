"""Prints, as JSON, what it brings to release the GIL while counting, by the length of the data.

Each row: KiB of data, situation, and how many gigabytes per second all counting threads get
through with the GIL held and with it released.
"""

import json
import threading
import time
from collections.abc import Callable

from rust_opponents import holding_the_gil, releasing_the_gil

SECONDS = 0.5  # of each measurement
SIZES = [2**exponent for exponent in range(16, 28, 2)]
SITUATIONS = {
    "one thread alone": (1, False),
    "two counting threads": (2, False),
    "next to a thread of Python code": (1, True),
}


def throughput(count: Callable[[bytes], int], size: int, counters: int, busy: bool) -> float:
    """Gigabytes per second that `counters` threads count, while another one runs Python code."""
    stop = threading.Event()
    calls = []

    def count_on(data: bytes) -> None:
        done = 0
        while not stop.is_set():
            count(data)
            done += 1
        calls.append(done)

    def run_python() -> None:
        while not stop.is_set():
            pass

    datas = [bytes(range(256)) * (size // 256) for _ in range(counters)]
    threads = [threading.Thread(target=count_on, args=(data,)) for data in datas]
    if busy:
        threads.append(threading.Thread(target=run_python))
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(calls) * size / (time.perf_counter() - start) / 1e9


rows = []
for size in SIZES:
    for situation, threads in SITUATIONS.items():
        row = {"KiB": size // 1024, "situation": situation}
        row["held"] = throughput(holding_the_gil, size, *threads)
        row["released"] = throughput(releasing_the_gil, size, *threads)
        rows.append(row)
print(json.dumps(rows))
