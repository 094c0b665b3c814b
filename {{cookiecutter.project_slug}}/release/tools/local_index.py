"""A package index for a rehearsal: it lives in this process and listens on 127.0.0.1 alone."""

import logging
import os
import re
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver
from environment import Failed, run


class Quiet(WSGIRequestHandler):
    """Answers without a line on the terminal for each request."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(packages: Path, password: str) -> Iterator[str]:
    """Serve a folder on a free port, uploads by password; yield the URL, which ends in `/`."""
    app = pypiserver.app(
        roots=[packages],
        authenticate=["update"],
        auther=lambda _, given: secrets.compare_digest(given, password),
        disable_fallback=True,  # else it sends pip elsewhere for what it does not have
    )
    logging.disable()
    # Where a proxy is set, this index is still asked directly.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def upload(files: list[Path], url: str, password: str) -> None:
    """Send files to an index with twine. Raises Failed, with twine's words."""
    account = {"TWINE_USERNAME": "rehearsal", "TWINE_PASSWORD": password}
    command = (sys.executable, "-m", "twine", "upload", "--non-interactive")
    options = ("--disable-progress-bar", f"--config-file={os.devnull}", f"--repository-url={url}")
    run(Path(), *command, *options, *files, **account)


def must_refuse(statuses: str, what: str, files: list[Path], url: str, password: str) -> None:
    """Raise Failed unless the index refuses the files with one of the HTTP statuses (a pattern)."""
    try:
        upload(files, url, password)
    except Failed as error:
        printed = str(error).rpartition("\n")[0]  # without the command, which names the files
        if not re.search(rf"\b({statuses})\b", printed):
            raise
    else:
        raise Failed(f"the index took {what}")
