"""A package index on 127.0.0.1, that takes uploads with a password, and can be made to fail."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class LocalIndex:
    """A pypiserver in a thread; `with` starts and ends it.

    Attributes: folder, where the files are; url; password; takes, how many uploads it takes
    before it answers 503 (None: all); shows, after how many requests its pages show what it has,
    as behind a cache (before, it answers 404; with -1, always 503).
    """

    def __init__(self, folder: Path) -> None:
        logging.getLogger("pypiserver").setLevel(logging.CRITICAL)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.password = secrets.token_urlsafe()
        self.takes: int | None = None
        self.shows = 0
        self.app = pypiserver.app(
            roots=[folder],
            authenticate=["update"],
            auther=lambda _, given: given == self.password,
            disable_fallback=True,
        )
        self.server = make_server("127.0.0.1", 0, self.answer, handler_class=Silent)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and self.takes is not None:
            self.takes -= 1
            if self.takes < 0:
                environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                start("503 Service Unavailable", [])
                return [b"out of order"]
        if environ["REQUEST_METHOD"] == "GET" and self.shows:
            start("503 Service Unavailable" if self.shows < 0 else "404 Not Found", [])
            self.shows -= 1 if self.shows > 0 else 0
            return [b"not yet"]
        answer: Iterable[bytes] = self.app(environ, start)
        return answer

    def files(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.iterdir()}

    def __enter__(self) -> "LocalIndex":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
