"""A loopback stand-in of the access portal, STS and a container endpoint: its keys tell where they come from.

``with AwsStandIn() as aws:`` and let the clients' endpoint variables name ``aws.url``. Every answer's access
key id is a digest of what was asked (``key_of``), so that a test knows which question a client has asked.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

_LATER = "2099-01-01T00:00:00Z"
_SIGNED_WITH = re.compile(r"Credential=([^/]+)/")


def key_of(*asked: str) -> str:
    """Return the access key id that answers a question."""
    return "ASIA" + hashlib.sha1("\0".join(asked).encode(), usedforsecurity=False).hexdigest()[:16].upper()


class AwsStandIn:
    """Serves while the block runs."""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/federation/credentials":
            asked = parse_qs(parts.query)
            token = self.headers.get("x-amz-sso_bearer_token", "")
            if token.startswith("expired"):
                self._answer("application/json", b'{"message": "Session token not found or invalid"}', 401)
                return
            key = key_of("sso", token, asked["account_id"][0], asked["role_name"][0])
            keys = {"accessKeyId": key, "secretAccessKey": "secret", "sessionToken": "session"}
            self._say({"roleCredentials": {**keys, "expiration": 4_070_908_800_000}})
        else:
            key = key_of("container", parts.path)
            keys = {"AccessKeyId": key, "SecretAccessKey": "secret", "Token": "session"}
            self._say({**keys, "Expiration": _LATER})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if urlsplit(self.path).path == "/token":
            token = "renewed " + json.loads(body)["refreshToken"]
            self._say({"accessToken": token, "expiresIn": 3600, "tokenType": "Bearer"})
            return
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        signed = _SIGNED_WITH.search(self.headers.get("Authorization", ""))
        by = signed[1] if signed and asked["Action"] == "AssumeRole" else "nobody"
        self._assumed(asked["Action"], key_of("role", by, asked["RoleArn"]))

    def _assumed(self, action: str, key: str) -> None:
        keys = (
            f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            f"<SessionToken>session</SessionToken><Expiration>{_LATER}</Expiration>"
        )
        user = (
            "<AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::1:a</Arn></AssumedRoleUser>"
        )
        result = f"<{action}Result><Credentials>{keys}</Credentials>{user}</{action}Result>"
        space = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
        self._answer("text/xml", f"<{action}Response {space}>{result}</{action}Response>".encode())

    def _say(self, answer: object) -> None:
        self._answer("application/json", json.dumps(answer).encode())

    def _answer(self, kind: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        pass
