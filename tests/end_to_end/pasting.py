"""Keys as the portal issued them, in the forms its panel copies, and the command that takes them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from tests.demo.program import Program
from tests.end_to_end.house import House

DNS = "111100000002_DNS"


@dataclass(frozen=True, slots=True)
class Keys:
    """One set."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def block(self, header: str = DNS) -> str:
        return (
            f"[{header}]\naws_access_key_id={self.access_key_id}\n"
            f"aws_secret_access_key={self.secret_access_key}\naws_session_token={self.session_token}\n"
        )

    def exports(self) -> str:
        return (
            f'export AWS_ACCESS_KEY_ID="{self.access_key_id}"\n'
            f'export AWS_SECRET_ACCESS_KEY="{self.secret_access_key}"\n'
            f'export AWS_SESSION_TOKEN="{self.session_token}"\n'
        )


def issued(url: str, account: str = "111100000002", role: str = "DNS") -> Keys:
    """Have the portal there issue keys, as to somebody who signs in to it with a browser alone."""
    program = Program(url)
    token = program.signed_in()["accessToken"]
    told = program.credentials(token, account, role).json()["roleCredentials"]
    return Keys(told["accessKeyId"], told["secretAccessKey"], told["sessionToken"])


def pasted(house: House, text: str, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Pipe a paste into `credtray import`."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "credtray", "import", *words],
        env=house.environ, input=text, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert code is None or done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
