"""A public repository on this machine: an HTTP server that may be slow, broken or gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml


class Repository(ThreadingHTTPServer):
    """Files by path, how each is served, and what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.files: dict[str, bytes] = {}
        self.broken: dict[str, int] = {}
        """Path to how often the connection breaks half-way."""
        self.without_range: set[str] = set()
        self.seconds_a_piece = 0.0
        self.asked: list[tuple[str, str]] = []

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that lose patience."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append((self.path, wanted))
        whole = self.server.files.get(self.path.partition("/raw/commit/")[2])
        if whole is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if self.path in self.server.without_range:
            start = 0
        if start > len(whole):
            self.send_error(416)
            return
        body = whole[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        left = self.server.broken.get(self.path, 0)
        if left:
            self.server.broken[self.path] = left - 1
            body = body[: len(body) // 2]
        for k in range(0, len(body), 1000):
            time.sleep(self.server.seconds_a_piece)
            self.wfile.write(body[k : k + 1000])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository_server() -> Iterator[Repository]:
    server = Repository()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("pooch", reason="public tables need the extra `public`")
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def served(
    repository_server: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Repository]:
    """Put files behind a shipped card, whose repository is then this server."""
    from bayescale.registry import shipped

    def serve(name: str, held: dict[str, bytes], **changes: object) -> Repository:
        text = shipped("data", "public", name, "card.yaml").read_text(encoding="utf-8")
        card = yaml.safe_load(text) | {"repository": repository_server.url, "commit": "commit"}
        folder = tmp_path / "own" / "data" / "public" / name
        folder.mkdir(parents=True)
        (folder / "card.yaml").write_text(yaml.safe_dump(card | changes), encoding="utf-8")
        monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path / "own"))
        repository_server.files = held
        return repository_server

    return serve
