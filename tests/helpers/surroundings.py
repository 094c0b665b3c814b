"""What the suite inherits from whoever starts it, set right before a test or a helper runs.

A git hook, a shell script in the background or a service starts it otherwise than a terminal does.
"""

import os
import signal
from pathlib import Path

from tools.machine import tied_to_a_repository


def settle_environment() -> None:
    """Take out of `os.environ` what leads programs astray; all that the suite starts inherit it."""
    # Images of containers often set it. Tools that are compiled at each start, and tests start
    # them thousands of times, take twice the time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PIP_NO_COMPILE"] = "1"  # of what pip installs for one build, most is never imported
    for name in tied_to_a_repository():
        os.environ.pop(name, None)
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # empty, it would be the root folder
        os.environ["HOME"] = str(Path.home())


def deliver_signals() -> None:
    """Let SIGINT and SIGTERM reach what the tests start, which inherits ignored and blocked ones.

    A shell without job control, for one, ignores SIGINT for what it starts in the background.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            handler = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, handler)
        if hasattr(signal, "pthread_sigmask"):  # not on Windows
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])


def forbid_builds() -> None:
    """Let every compilation of Rust fail, with a sentence: for the tests that promise none."""
    if os.name == "posix":  # cargo starts no script as a compiler elsewhere
        os.environ["RUSTC_WRAPPER"] = str(Path(__file__).with_name("no_builds.sh"))
