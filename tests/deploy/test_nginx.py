"""The proxy in front lets pushes through, whole, and nothing else."""

import datetime
import http.client
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import free_port

CONFIGURATION = Path(__file__).parents[2] / "deploy/nginx"
pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")

AROUND = """
{user}
daemon off;
pid nginx.pid;
error_log error.log;
events {{ }}
http {{
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include upstream.conf;
    include caidan.conf;
    include console.conf;
}}
"""


class Ingress(ThreadingHTTPServer):
    """Remembers the pushes that reached it, with their sizes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.seen: list[tuple[str, int]] = []
        self.senders: list[list[str]] = []  # the lines of X-Forwarded-For that came with each


class Answering(BaseHTTPRequestHandler):
    """Says `success` to everything."""

    protocol_version = "HTTP/1.1"
    server: Ingress

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, len(body)))
        self.server.senders.append(
            self.headers.get_all("X-Forwarded-For", []) + self.headers.get_all("X_Forwarded_For", [])
        )
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"success")

    def do_GET(self) -> None:
        self.headers["Content-Length"] = "0"
        self.do_POST()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def ingress() -> Iterator[Ingress]:
    with Ingress() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*encoding))


@pytest.fixture
def settings(tmp_path: Path, ingress: Ingress) -> int:
    """The configuration as it is delivered, with ports and files of this test; gives the port of HTTPS."""
    write_certificate(tmp_path)
    port = free_port()
    text = (CONFIGURATION / "caidan.conf").read_text()
    text = re.sub(r"listen \[::\]:.*\n", "\n", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    text = text.replace("/etc/nginx/tls", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    (tmp_path / "caidan.conf").write_text(text)
    upstream = (CONFIGURATION / "upstream.conf").read_text()
    (tmp_path / "upstream.conf").write_text(upstream.replace(":8000", f":{ingress.server_port}"))
    console = re.sub(r"listen \[::\]:.*\n", "\n", (CONFIGURATION / "console.conf").read_text())
    console = console.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    console = console.replace("/etc/nginx/tls/api-", f"{tmp_path}/").replace(
        "/etc/nginx/tls/api", f"{tmp_path}/certificate"
    )
    (tmp_path / "console.conf").write_text(console.replace(":8002", f":{ingress.server_port}"))
    (tmp_path / "nginx.conf").write_text(AROUND.format(user="user root;" if os.geteuid() == 0 else ""))
    return port


@pytest.fixture
def proxy(settings: int, tmp_path: Path) -> Iterator[int]:
    process = subprocess.Popen(["nginx", "-e", "error.log", "-p", tmp_path, "-c", "nginx.conf"])
    try:
        until = time.monotonic() + 10
        while not (tmp_path / "nginx.pid").exists() and time.monotonic() < until:
            time.sleep(0.02)
        yield settings
    finally:
        process.terminate()
        process.wait(10)


def connect(port: int) -> http.client.HTTPSConnection:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=10)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = connect(port)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_nginx_accepts_the_configuration(settings: int, tmp_path: Path) -> None:
    command = ["nginx", "-t", "-q", "-e", "error.log", "-p", str(tmp_path), "-c", "nginx.conf"]

    answer = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert (0, "") == (answer.returncode, answer.stderr)


def test_a_push_comes_through_with_its_query(proxy: int, ingress: Ingress) -> None:
    assert (200, b"success") == ask(proxy, "POST", "/wechat/shop?signature=1", b"<xml/>")
    assert [("/wechat/shop?signature=1", 6)] == ingress.seen


def test_the_ingress_is_told_who_sent_a_push_and_not_who_they_say_they_are(proxy: int, ingress: Ingress) -> None:
    ask(proxy, "POST", "/wechat/shop", b"<xml/>")
    ask(proxy, "POST", "/wechat/shop", b"<xml/>", **{"X-Forwarded-For": "101.226.103.61", "X_Forwarded_For": "1.2.3.4"})

    assert [["127.0.0.1"], ["127.0.0.1"]] == ingress.senders


def test_the_largest_push_comes_through_and_a_larger_one_does_not(proxy: int, ingress: Ingress) -> None:
    assert 200 == ask(proxy, "POST", "/wechat/shop", b"x" * 65536)[0]
    assert 413 == ask(proxy, "POST", "/wechat/shop", b"x" * 65537)[0]
    assert [("/wechat/shop", 65536)] == ingress.seen


def test_questions_come_through_under_a_name_of_their_own(proxy: int, ingress: Ingress) -> None:
    named = {"Host": "api.example.com", "X-Forwarded-For": "1.2.3.4"}

    assert 200 == ask(proxy, "GET", "/api/v1/accounts?limit=1", **named)[0]
    assert 403 == ask(proxy, "POST", "/api/v1/accounts", b"x", **named)[0]
    assert 404 == ask(proxy, "GET", "/wechat/shop", **named)[0]
    assert 404 == ask(proxy, "GET", "/api/v1/accounts")[0]
    assert [("/api/v1/accounts?limit=1", 0)] == ingress.seen
    assert [["127.0.0.1"]] == ingress.senders


def test_nothing_else_comes_through(proxy: int, ingress: Ingress) -> None:
    assert 404 == ask(proxy, "GET", "/")[0]
    assert 404 == ask(proxy, "GET", "/metrics/more")[0]
    assert [] == ingress.seen


def test_the_state_of_the_ingress_is_shown_on_the_host_itself(proxy: int) -> None:
    assert [200, 200, 200] == [ask(proxy, "GET", path)[0] for path in ("/metrics", "/healthz", "/readyz")]


def test_a_slow_sender_does_not_bother_the_ingress(proxy: int, ingress: Ingress) -> None:
    slow = connect(proxy)
    slow.putrequest("POST", "/wechat/slow")
    slow.putheader("Content-Length", "6")
    slow.endheaders(b"<xm")

    ask(proxy, "POST", "/wechat/quick", b"<xml/>")
    assert [("/wechat/quick", 6)] == ingress.seen

    slow.send(b"l/>")
    assert b"success" == slow.getresponse().read()
    slow.close()


def test_the_log_holds_no_query(proxy: int, tmp_path: Path) -> None:
    ask(proxy, "POST", "/wechat/shop?signature=abc&openid=def", b"<xml/>")

    log = ""
    give_up = time.monotonic() + 10
    while not log and time.monotonic() < give_up:  # it is written when the answer is out
        log = (tmp_path / "caidan.log").read_text()

    assert '"POST /wechat/shop" 200' in log
    assert "openid" not in log
