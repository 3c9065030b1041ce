"""Requests that the credentials endpoint must refuse, as raw bytes; nearly all carry the right token.

``PORT`` stands for the port. What is refused for its token alone is in the last table.
"""

from __future__ import annotations

from tests.web.endpoint_world import OTHER_TOKEN, TOKEN

_RIGHT = f"Authorization: {TOKEN}"
_HOST = "Host: 127.0.0.1:PORT"


def _raw(*lines: str, end: str = "\r\n", tail: str = "") -> bytes:
    return (end.join(lines) + end + end + tail).encode("latin-1")


def _get(*lines: str, target: str = "/credentials/dev", tail: str = "") -> bytes:
    return _raw(f"GET {target} HTTP/1.1", *lines, _RIGHT, tail=tail)


_HOSTS = {
    "rebinding": "evil.test:PORT",
    "rebinding without a port": "evil.test",
    "loopback without a port": "127.0.0.1",
    "localhost without a port": "localhost",
    "another port": "127.0.0.1:80",
    "port with a zero in front": "127.0.0.1:0PORT",
    "two ports": "127.0.0.1:PORT:PORT",
    "trailing dot": "localhost.:PORT",
    "capital letters": "LOCALHOST:PORT",
    "one capital letter": "Localhost:PORT",
    "user": "user@127.0.0.1:PORT",
    "ours as the user of theirs": "127.0.0.1:PORT@evil.test",
    "subdomain": "evil.localhost:PORT",
    "ours in front": "127.0.0.1.evil.test:PORT",
    "nip.io": "127.0.0.1.nip.io:PORT",
    "short address": "127.1:PORT",
    "decimal address": "2130706433:PORT",
    "hexadecimal address": "0x7f.0.0.1:PORT",
    "octal address": "0177.0.0.1:PORT",
    "another loopback address": "127.0.0.2:PORT",
    "any address": "0.0.0.0:PORT",
    "IPv6": "[::1]:PORT",
    "IPv4 in IPv6": "[::ffff:127.0.0.1]:PORT",
    "ECS": "169.254.170.2",
    "empty": "",
    "scheme": "http://127.0.0.1:PORT",
    "path": "127.0.0.1:PORT/",
    "two names": "127.0.0.1:PORT, evil.test",
    "blank inside": "127.0.0.1 :PORT",
    "tab inside": "127.0.0.1\t:PORT",
    "latin-1": "127.0.0.1\xa0:PORT",
}
_TARGETS = {
    "absolute": "http://127.0.0.1:PORT/credentials/dev",
    "absolute of theirs": "http://evil.test/credentials/dev",
    "absolute https": "https://127.0.0.1:PORT/credentials/dev",
    "without a scheme": "//127.0.0.1:PORT/credentials/dev",
    "two slashes": "//credentials/dev",
    "authority": "127.0.0.1:PORT",
    "asterisk": "*",
    "no slash": "credentials/dev",
    "file": "file:///credentials/dev",
    "root": "/",
    "favicon": "/favicon.ico",
    "list": "/credentials",
    "list with a slash": "/credentials/",
    "slash after": "/credentials/dev/",
    "query": "/credentials/dev?x=1",
    "empty query": "/credentials/dev?",
    "fragment": "/credentials/dev#x",
    "capital letters": "/Credentials/dev",
    "slashes inside": "/credentials//dev",
    "dots": "/credentials/../credentials/dev",
    "dot": "/credentials/./dev",
    "encoded dots": "/credentials/%2e%2e/credentials/dev",
    "dots alone": "/credentials/..",
    "encoded dots alone": "/credentials/%2E%2E",
    "encoded slash before": "/credentials%2fdev",
    "encoded twice": "/credentials/%2564ev",
    "half an escape": "/credentials/dev%2",
    "no escape": "/credentials/%zzdev",
    "encoded NUL": "/credentials/dev%00",
    "encoded line end": "/credentials/dev%0d%0aX:%20y",
    "encoded blank": "/credentials/dev%20",
    "no UTF-8": "/credentials/%ff",
    "overlong UTF-8": "/credentials/%c1%a4ev",
    "parameter": "/credentials/dev;x=1",
    "backslash": "/credentials\\dev",
    "jsonp": "/credentials/dev?callback=steal",
    "token in the address": f"/credentials/dev?token={TOKEN}",
    "another API": "/latest/meta-data/iam/security-credentials/",
    "relative uri of ECS": "/v2/credentials/dev",
}
_HEADERS = {
    "origin": "Origin: http://evil.test",
    "origin of ours": "Origin: http://127.0.0.1:PORT",
    "origin null": "Origin: null",
    "origin empty": "Origin:",
    "referer": "Referer: http://evil.test/",
    "referer of ours": "Referer: http://127.0.0.1:PORT/",
    "cross-site": "Sec-Fetch-Site: cross-site",
    "same-site": "Sec-Fetch-Site: same-site",
    "same-origin": "Sec-Fetch-Site: same-origin",
    "capital none": "Sec-Fetch-Site: None",
    "none and more": "Sec-Fetch-Site: none, cross-site",
    "cross-site after none": "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site",
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "websocket key": "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "expect": "Expect: 100-continue",
    "chunked": "Transfer-Encoding: chunked",
    "chunked, hidden": "Transfer-Encoding: xchunked",
    "chunked by tab": "Transfer-Encoding:\tchunked",
    "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "length": "Content-Length: 5",
    "length twice": "Content-Length: 0\r\nContent-Length: 5",
    "length signed": "Content-Length: +0",
    "length below zero": "Content-Length: -1",
    "length enormous": f"Content-Length: {'9' * 40}",
    "length and chunked": "Content-Length: 0\r\nTransfer-Encoding: chunked",
    "second host": "Host: evil.test",
    "second host, the same": "Host: 127.0.0.1:PORT",
    "second token": "Authorization: x",
    "second token, the same": _RIGHT,
    "folded": "X: a\r\n b",
    "folded host": "X: a\r\n Host: evil.test",
    "blank before the colon": "X : a",
    "blank before the name": " X: a",
    "no colon": "X",
    "no name": ": a",
    "NUL": "X: a\0b",
    "lone line feed": "X: a\nY: b",
    "lone carriage return": "X: a\rY: b",
    "bell": "X: a\x07b",
    "proxy": "Via: 1.1 proxy",
    "forwarded": "Forwarded: for=10.0.0.1",
    "forwarded for": "X-Forwarded-For: 127.0.0.1",
    "trailer": "Trailer: Authorization",
    "one huge header": f"X: {'a' * 20000}",
    "many headers": "\r\n".join(f"X-{number}: {'a' * 20}" for number in range(1000)),
}
_VERBS = (
    "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Get", "GETS",
    "G",
)  # fmt: skip

_WHOLE = {
    "HTTP/0.9": b"GET /credentials/dev\r\n\r\n",
    "HTTP/1.0": _raw("GET /credentials/dev HTTP/1.0", _HOST, _RIGHT),
    "HTTP/1.0 without a host": _raw("GET /credentials/dev HTTP/1.0", _RIGHT),
    "HTTP/1.2": _raw("GET /credentials/dev HTTP/1.2", _HOST, _RIGHT),
    "HTTP/2 in words": _raw("GET /credentials/dev HTTP/2.0", _HOST, _RIGHT),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    "HTTPS/1.1": _raw("GET /credentials/dev HTTPS/1.1", _HOST, _RIGHT),
    "no version": _raw("GET /credentials/dev", _HOST, _RIGHT),
    "small http": _raw("GET /credentials/dev http/1.1", _HOST, _RIGHT),
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(180),
    "no host": _raw("GET /credentials/dev HTTP/1.1", _RIGHT),
    "only line feeds": _raw("GET /credentials/dev HTTP/1.1", _HOST, _RIGHT, end="\n"),
    "only carriage returns": _raw("GET /credentials/dev HTTP/1.1", _HOST, _RIGHT, end="\r") + b"\r\n\r\n",
    "line end first": b"\r\n" + _get(_HOST),
    "two blanks": _raw("GET  /credentials/dev HTTP/1.1", _HOST, _RIGHT),
    "tabs": _raw("GET\t/credentials/dev\tHTTP/1.1", _HOST, _RIGHT),
    "blank in the target": _raw("GET /credentials/ dev HTTP/1.1", _HOST, _RIGHT),
    "NUL in the target": _raw("GET /credentials/dev\0 HTTP/1.1", _HOST, _RIGHT),
    "bytes in the target": _raw("GET /credentials/d\xe9v HTTP/1.1", _HOST, _RIGHT),
    "huge target": _raw(f"GET /credentials/{'d' * 20000} HTTP/1.1", _HOST, _RIGHT),
    "no target": _raw("GET HTTP/1.1", _HOST, _RIGHT),
    "body without a length": _get(_HOST, tail="hello"),
    "pipelined": _get(_HOST) + _get(_HOST),
    "smuggled CL.TE": _get(_HOST, "Content-Length: 6", "Transfer-Encoding: chunked", tail="0\r\n\r\nG"),
    "smuggled by chunk": _get(_HOST, "Transfer-Encoding: chunked", tail="0\r\n\r\n") + _get(_HOST),
    "SMTP": b"EHLO evil.test\r\n\r\n",
    "SOCKS": b"\x05\x01\x00",
    "redis": b"*1\r\n$4\r\nINFO\r\n\r\n",
    "zeros": bytes(4096),
    "nothing but line ends": b"\r\n" * 100,
    "no end": b"GET /credentials/dev HTTP/1.1\r\nX: " + b"a" * 70000,
}

TOKENS: dict[str, bytes | None] = {
    "none": None,
    "empty": b"",
    "blank": b" ",
    "wrong": b"x" * len(TOKEN),
    "of another profile": OTHER_TOKEN.encode(),
    "short by one": TOKEN[:-1].encode(),
    "long by one": TOKEN.encode() + b"x",
    "other case": TOKEN.swapcase().encode(),
    "last character": TOKEN[:-1].encode() + b"!",
    "bearer": b"Bearer " + TOKEN.encode(),
    "basic": b"Basic ZGV2OnRva2Vu",
    "quoted": b'"' + TOKEN.encode() + b'"',
    "twice": TOKEN.encode() * 2,
    "two in one": TOKEN.encode() + b", " + TOKEN.encode(),
    "decoy": b"-" * 43,
    "not ASCII": "ŧøĸɘŋ".encode(),
    "no UTF-8": b"\xff\xfe\xfd",
    "enormous": b"x" * 15000,
    "the profile's name": b"dev",
}
"""What is refused for its token alone."""


def corpus() -> dict[str, bytes]:
    """Return every request by its name, with ``PORT`` still to be filled in."""
    found = {f"host: {name}": _get(f"Host: {value}") for name, value in _HOSTS.items()}
    found |= {f"target: {name}": _get(_HOST, target=value) for name, value in _TARGETS.items()}
    found |= {f"header: {name}": _get(_HOST, value) for name, value in _HEADERS.items()}
    found |= {f"verb: {verb}": _raw(f"{verb} /credentials/dev HTTP/1.1", _HOST, _RIGHT) for verb in _VERBS}
    found |= {f"whole: {name}": raw for name, raw in _WHOLE.items()}
    return found
