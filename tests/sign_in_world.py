"""A sign-in with stand-ins for all its ports, and a person who allows as soon as a browser opens."""

from __future__ import annotations

from dataclasses import dataclass, field

from credtray.core.models import AccessToken, SsoSession
from credtray.core.ports import SignInPorts
from credtray.daemon.sign_in import SignInProgress, SignInRequest, SignInResult, Step, run_sign_in
from tests.fakes_identity_center import (
    CORP,
    FakeBrowser,
    FakeCallbackListener,
    FakeClock,
    FakeIdentityCenter,
    FakeTokenRefresh,
    MemoryTokenCache,
)


@dataclass
class World:
    """Every port of a sign-in, and a person who allows as soon as a browser opens."""

    clock: FakeClock = field(default_factory=FakeClock)
    token_cache: MemoryTokenCache = field(default_factory=MemoryTokenCache)
    browser: FakeBrowser = field(default_factory=FakeBrowser)
    steps: list[SignInProgress] = field(default_factory=list)
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.identity_center = FakeIdentityCenter(self.clock)
        self.token_refresh = FakeTokenRefresh(self.identity_center, self.token_cache)
        self.callback_listener = FakeCallbackListener(self.clock)
        self.browser.visit = self.callback_listener.come
        self.callback_listener.visit = self.allow

    def allow(self, url: str) -> None:
        self.callback_listener.arrived = self.identity_center.visit(url)

    def allow_device(self) -> None:
        for step in self.steps:
            if step.user_code:
                self.identity_center.confirm_device(step.user_code)

    def run(
        self,
        request: SignInRequest | None = None,
        *,
        session: SsoSession = CORP,
        current: AccessToken | None = None,
    ) -> SignInResult:
        return run_sign_in(
            SignInPorts(
                self.clock,
                self.token_cache,
                self.token_refresh,
                self.identity_center,
                self.browser,
                self.callback_listener,
            ),
            session,
            request or SignInRequest(),
            current,
            self.steps.append,
            lambda: self.cancelled,
            _entropy,
        )

    def kinds(self) -> list[Step]:
        return [step.kind for step in self.steps]

    def signed_in(self) -> AccessToken:
        """Sign in, forget how, and return the token."""
        token = self.run().token
        self.steps.clear()
        self.identity_center.calls.clear()
        self.token_cache.events.clear()
        self.browser.opened.clear()
        return token


def _entropy(count: int) -> bytes:
    return bytes(range(count))
