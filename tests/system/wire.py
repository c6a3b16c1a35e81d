"""Pushes as WeChat signs and encrypts them; written from its documentation, apart from our own code."""

import base64
import hashlib
import json
import os
import time
import urllib.request
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PUSHES = Path(__file__).parent.parent / "pushes"
SAMPLES: list[dict[str, Any]] = [
    sample for sample in json.loads((PUSHES / "manifest.json").read_text())["files"] if "expected" in sample
]
TOKEN = "menuTok2024"
AES_KEY = "5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7"


def signed(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def push(url: str, app_id: str, mode: str, message: bytes) -> bytes:
    """Send one push, and give the body of the answer."""
    timestamp, nonce = str(int(time.time())), "415670741"
    query = f"signature={signed(TOKEN, timestamp, nonce)}&timestamp={timestamp}&nonce={nonce}"
    body = message
    if mode != "plain":
        encrypt = _encrypted(message, app_id)
        query += f"&encrypt_type=aes&msg_signature={signed(TOKEN, timestamp, nonce, encrypt)}"
        half = message.rstrip().removesuffix(b"</xml>") if mode == "compatible" else b"<xml><ToUserName>gh</ToUserName>"
        body = half + f"<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}?{query}", data=body), timeout=10) as answer:
        content: bytes = answer.read()
    return content


def _encrypted(message: bytes, app_id: str) -> str:
    key = base64.b64decode(AES_KEY + "=")
    content = os.urandom(16) + len(message).to_bytes(4, "big") + message + app_id.encode()
    padding = 32 - len(content) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(content + bytes([padding]) * padding) + encryptor.finalize()).decode()
