"""A server on this machine that sends files in all the ways in which servers do it wrong."""

import contextlib
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HTML = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
PACE = 0.05  # seconds between the bytes of a trickle


class Handler(BaseHTTPRequestHandler):
    """Serves /WAY/path: `server.files` by path, in the way that is named."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written apart: the second would wait 40 ms

    def do_GET(self):
        way, path = self.path[1:].split("/", 1)
        self.server.requests.append((way, path, self.headers.get("Range")))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, way)(path, self.server.files.get(path))

    def answer(self, status, body, length=None, **headers):
        """Say that `length` bytes come, and send `body`."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def right(self, path, content):
        self.answer(404 if content is None else 200, content or b"")

    def slow(self, path, content):
        time.sleep(0.1)
        self.answer(200, content)

    def missing(self, path, content):
        self.answer(404, HTML)

    def broken(self, path, content):
        self.answer(500, HTML)

    def busy(self, path, content):
        self.answer(429, HTML)

    def wrong(self, path, content):
        self.answer(200, bytes(reversed(content)))

    def html(self, path, content):
        self.answer(200, HTML)

    def short(self, path, content):
        self.answer(200, content[:-1])

    def cut(self, path, content):
        """Half of it, always."""
        self.answer(200, content[: len(content) // 2], len(content))
        self.close_connection = True

    def cut_once(self, path, content):
        """Half of it the first time, all of it afterwards, whatever part is asked for."""
        again = sum(asked == path for _, asked, _ in self.server.requests) > 1
        (self.right if again else self.cut)(path, content)

    def cut_and_resumed(self, path, content):
        """A third of what is asked for, or the last ten bytes."""
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=")[:-1])
        rest = content[start:]
        part = rest if len(rest) <= 10 else rest[: max(10, 2 * len(rest) // 3)]
        where = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        self.answer(206 if start else 200, part, len(rest), **(where if start else {}))
        self.close_connection = True

    def other_part(self, path, content):
        """Half of it, then the part from another byte on than asked for."""
        if not self.headers.get("Range"):
            self.cut(path, content)
            return
        where = f"bytes 1-{len(content) // 2}/{len(content)}"
        self.answer(206, content[1 : 1 + (len(content) + 1) // 2], Content_Range=where)

    def chunked(self, path, content):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (content[:7], content[7:], b""):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")

    def trickle(self, path, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for byte in content:
            self.wfile.write(bytes([byte]))
            time.sleep(PACE)

    def trickled_head(self, path, content):
        """A header that never ends."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.server.stopped:
            self.wfile.write(b"x")
            time.sleep(PACE)

    def endless(self, path, content):
        """Without a length, for as long as anyone listens."""
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while not self.server.stopped:
            self.wfile.write(bytes(1 << 16))

    def silent(self, path, content):
        while not self.server.stopped:
            time.sleep(PACE)

    def loop(self, path, content):
        self.answer(302, b"", Location=f"/loop/{path}")

    def moved(self, path, content):
        self.answer(302, b"", Location=f"/right/{path}")

    def nowhere(self, path, content):
        self.answer(302, b"", Location="ftp://127.0.0.1/" + path)

    def garbage(self, path, content):
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Remembers what it was asked for: (way, path, range), in order."""

    daemon_threads, block_on_close = True, False

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.stopped = files, [], False
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def mirror(self, way):
        return f"http://127.0.0.1:{self.server_port}/{way}/{{path}}"

    def close(self):
        self.stopped = True
        self.shutdown()
        self.server_close()
