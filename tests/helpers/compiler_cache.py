"""One cache of compiled crates for all workers: sccache, which each build uses in place of rustc.

The tests build for many Python versions, with and without optimisation, into target folders of
their own. Without the cache each of them compiles the crates below PyO3 again.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.template import TEMPLATE

WRAPPER = Path(__file__).with_name("compiler_cache.sh")


@contextmanager
def compiler_cache(folder: Path = TEMPLATE / "build" / "sccache") -> Iterator[None]:
    """Keep a server of sccache while the block runs, and let cargo use it through `os.environ`.

    folder: where it keeps what was compiled; one server writes there, for all workers.

    Workers, and a suite within the suite, use the server of the one that started them. On Windows
    cargo takes no script for a compiler: there, rustc compiles by itself.
    """
    program = shutil.which("sccache", path=str(Path(sys.executable).parent))
    if program is None or os.name != "posix" or os.environ.get("RUSTC_WRAPPER") == str(WRAPPER):
        yield
        return
    with tempfile.TemporaryDirectory(
        prefix="sccache-"
    ) as short:  # the path of a socket has 100 characters at most
        socket = Path(short, "socket")
        os.environ |= {
            "SCCACHE": program,
            "SCCACHE_CONF": os.devnull,
            "SCCACHE_DIR": str(folder),
            "SCCACHE_IDLE_TIMEOUT": "0",
            "SCCACHE_IGNORE_SERVER_IO_ERROR": "1",
            "SCCACHE_SERVER_UDS": str(socket),
        }
        variables = os.environ | {"SCCACHE_START_SERVER": "1", "SCCACHE_NO_DAEMON": "1"}
        server = subprocess.Popen(
            [program],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not socket.exists() and server.poll() is None:
                time.sleep(0.05)
            if server.poll() is None:
                os.environ["RUSTC_WRAPPER"] = str(WRAPPER)
            yield
        finally:
            server.terminate()
            server.wait()
