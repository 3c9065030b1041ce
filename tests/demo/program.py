"""What stands on the other side of the Identity Center in its tests: a program, and a browser with a person.

Both speak raw HTTP, so that a test sees status, headers and bodies as they are; botocore has its own tests.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from credtray.demo.identity_center import START_URL
from tests.portal import Answer, ask, form

VERIFIER = "verifier-of-a-test-with-at-least-forty-three-characters"
REDIRECT = "http://127.0.0.1:53682/oauth/callback"
PASSWORD = "demo"
SCOPES = ["sso:account:access"]
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def challenge(verifier: str = VERIFIER) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def error_type(answer: Answer) -> str:
    """Return the error's name as botocore reads it."""
    return answer.headers["x-amzn-errortype"].split(":")[0]


@dataclass
class Program:
    """A client of the token service and the portal."""

    url: str
    client: dict[str, Any] = field(default_factory=dict)

    def register(self, **members: Any) -> Answer:
        """RegisterClient as the AWS CLI does it for PKCE; members given replace or (None) remove its own."""
        usual: dict[str, Any] = {
            "clientName": "botocore-client-test",
            "clientType": "public",
            "scopes": SCOPES,
            "grantTypes": ["authorization_code", "refresh_token"],
            "redirectUris": ["http://127.0.0.1/oauth/callback"],
            "issuerUrl": START_URL,
        }
        wanted = {name: value for name, value in {**usual, **members}.items() if value is not None}
        answer = ask(f"{self.url}/client/register", method="POST", body=wanted)
        if answer.status == 200:
            self.client = answer.json()
        return answer

    def register_for_device(self, **members: Any) -> Answer:
        """RegisterClient as the AWS CLI does it for the device authorization grant."""
        return self.register(**{"grantTypes": None, "redirectUris": None, "issuerUrl": None, **members})

    @property
    def identity(self) -> dict[str, str]:
        return {"clientId": self.client["clientId"], "clientSecret": self.client["clientSecret"]}

    def authorize_url(self, **parameters: str) -> str:
        """Return the address to open in the browser."""
        usual = {
            "response_type": "code",
            "client_id": self.client["clientId"],
            "redirect_uri": REDIRECT,
            "state": "state-of-a-test",
            "code_challenge_method": "S256",
            "scopes": "sso:account:access",
            "code_challenge": challenge(),
        }
        wanted = {name: value for name, value in {**usual, **parameters}.items() if value}
        return f"{self.url}/authorize?{urlencode(wanted)}"

    def token(self, **members: Any) -> Answer:
        """CreateToken with this client's identity."""
        return ask(f"{self.url}/token", method="POST", body={**self.identity, **members})

    def redeem(self, code: str, /, **members: Any) -> Answer:
        """CreateToken with an authorization code."""
        usual = {
            "grantType": "authorization_code",
            "code": code,
            "redirectUri": REDIRECT,
            "codeVerifier": VERIFIER,
        }
        return self.token(**{**usual, **members})

    def refresh(self, refresh_token: str) -> Answer:
        """CreateToken with a refresh token."""
        return self.token(grantType="refresh_token", refreshToken=refresh_token)

    def start_device(self, **members: Any) -> Answer:
        """StartDeviceAuthorization."""
        body = {**self.identity, "startUrl": START_URL, **members}
        return ask(f"{self.url}/device_authorization", method="POST", body=body)

    def poll(self, device_code: str) -> Answer:
        """CreateToken with a device code."""
        return self.token(grantType=DEVICE_CODE, deviceCode=device_code)

    def call(self, path: str, token: str, *, method: str = "GET") -> Answer:
        """Call the portal."""
        return ask(f"{self.url}{path}", method=method, headers={"x-amz-sso_bearer_token": token})

    def credentials(self, token: str, account: str = "111100000001", role: str = "ReadOnly") -> Answer:
        """GetRoleCredentials."""
        query = urlencode({"role_name": role, "account_id": account})
        return self.call(f"/federation/credentials?{query}", token)

    def signed_in(self) -> dict[str, Any]:
        """Register, authorize (the portal must auto-approve) and return CreateToken's members."""
        self.register()
        code = code_of(ask(self.authorize_url()))
        tokens: dict[str, Any] = self.redeem(code).json()
        return tokens


def answer_of(redirected: Answer) -> dict[str, str]:
    """Return the parameters that a redirect brings back to the program."""
    return {name: values[0] for name, values in parse_qs(urlsplit(redirected.location).query).items()}


def code_of(redirected: Answer) -> str:
    """Return the authorization code that a redirect brings back."""
    return answer_of(redirected)["code"]


class _Form(HTMLParser):
    """Collects the first form's action and fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag == "input" and given.get("name"):
            self.fields[given["name"] or ""] = given.get("value") or ""


@dataclass
class Browser:
    """Follows redirects on the portal, keeps its cookie, and stops where one leads elsewhere."""

    url: str
    cookie: str = ""
    page: Answer | None = None

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.body.decode()

    def open(self, address: str) -> Answer:
        """Open an address as a person would."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        return self._follow(ask(address, headers=headers))

    def submit(self, **typed: str) -> Answer:
        """Fill the form of the page and send it."""
        found = _Form()
        found.feed(self.text)
        return self._follow(form(f"{self.url}{found.action}", {**found.fields, **typed}, cookie=self.cookie))

    def sign_in(self, user: str = "alice", password: str = PASSWORD) -> Answer:
        return self.submit(user=user, password=password)

    def _follow(self, answer: Answer) -> Answer:
        while True:
            if "set-cookie" in answer.headers:
                self.cookie = answer.headers["set-cookie"].split(";")[0]
            if answer.status != 303 or not answer.location.startswith("/"):
                self.page = answer
                return answer
            headers = {"Cookie": self.cookie} if self.cookie else {}
            answer = ask(f"{self.url}{answer.location}", headers=headers)
