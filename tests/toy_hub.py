"""A hub of models on this machine, as far as huggingface_hub asks for one: what it lists, files in parts, cuts."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

SHA = "5" * 40


class ToyHub:
    """repos: folders by name "owner/model".  cut: bytes after which the next file is cut off; asked: of each file."""

    def __init__(self, repos: dict[str, Path]) -> None:
        self.repos, self.cut, self.url = repos, 0, ""
        self.asked: list[tuple[str, str]] = []  # file, its Range

    def files(self, repo: str) -> dict[str, Path]:
        folder = self.repos[repo]
        return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def serving(hub: ToyHub) -> Iterator[ToyHub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *_: Any) -> None:
            return None

        def _send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _missing(self, code: str) -> None:
            self._send(404, b"{}", X_Error_Code=code, X_Repo_Commit=SHA)

        def do_GET(self) -> None:
            path = unquote(urlparse(self.path).path).strip("/")
            if path.startswith("api/models/"):
                return self._about("/".join(path.split("/")[2:4]), path.split("/")[4:])
            repo, _, rest = path.partition("/resolve/")
            if repo not in hub.repos:
                return self._missing("RepoNotFound")
            name = rest.partition("/")[2]
            file = hub.files(repo).get(name)
            return self._missing("EntryNotFound") if file is None else self._file(name, file.read_bytes())

        do_HEAD = do_GET

        def _about(self, repo: str, what: list[str]) -> None:
            if repo not in hub.repos:
                return self._missing("RepoNotFound")
            files = hub.files(repo)
            if what[:1] == ["tree"]:
                told: Any = [{"type": "file", "path": name, "size": path.stat().st_size, "oid": "0"}
                             for name, path in files.items()]  # fmt: skip
            else:
                told = {"id": repo, "sha": SHA, "siblings": [{"rfilename": name} for name in files]}
            self._send(200, json.dumps(told).encode(), Content_Type="application/json")

        def _file(self, name: str, body: bytes) -> None:
            headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X_Repo_Commit": SHA, "Accept_Ranges": "bytes"}
            span = self.headers.get("Range", "")
            if self.command == "GET":
                hub.asked.append((name, span))
            whole, status = len(body), 200
            if span:
                first = int(span.removeprefix("bytes=").partition("-")[0])
                status, body = 206, body[first:]
                headers["Content_Range"] = f"bytes {first}-{whole - 1}/{whole}"
            if hub.cut and self.command == "GET" and len(body) > hub.cut:
                self.send_response(status)
                for key, value in {**headers, "Content_Length": str(len(body))}.items():
                    self.send_header(key.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body[: hub.cut])
                self.close_connection = True
                return
            self._send(status, body, **headers)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
