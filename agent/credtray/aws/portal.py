"""What the sso (portal) service tells about a sign-in: its accounts and roles; and how to end it.

Must not fetch role credentials (see role_credentials), nor keep anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from credtray.aws import replies
from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.pacing import Pacer, TokenBucket
from credtray.aws.service_call import call
from credtray.core.errors import UnexpectedReply
from credtray.core.models import AccessToken, Account, SsoSession
from credtray.core.ports import Clock

LISTS_PER_SECOND = 10.0
"""ListAccounts and ListAccountRoles together; the community reads the service's limit as 20 calls/s."""

_PAGE_SIZE = 100
_MOST_PAGES = 1000

Page = TypeVar("Page", replies.ListAccounts, replies.ListAccountRoles)


class Portal:
    """The List operations, paced, and Logout. Safe to use from several threads at once."""

    def __init__(
        self, clients: Clients, clock: Clock, jitter: Callable[[], float], rate: float = LISTS_PER_SECOND
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._pacer = Pacer(TokenBucket(rate, 1, clock), clock, jitter)

    def logout(self, session: SsoSession, token: AccessToken) -> None:
        """Logout: end the sign-in at the portal."""
        operation = self._clients.portal(session).logout
        call(Service.PORTAL, operation, {"accessToken": token.value}, dict, self._clock.now)

    def accounts(
        self, session: SsoSession, token: AccessToken, progress: Callable[[int], None]
    ) -> list[Account]:
        """Return all accounts; ``progress`` hears after each page how many there are so far."""
        operation = self._clients.portal(session).list_accounts
        found: list[Account] = []
        for page in self._pages(operation, {"accessToken": token.value}, replies.ListAccounts):
            found += [
                Account(item.account_id, _printable(item.account_name), _printable(item.email_address))
                for item in page.account_list
            ]
            progress(len(found))
        return found

    def roles(self, session: SsoSession, token: AccessToken, account_id: str) -> list[str]:
        """Return the names of all roles in one account."""
        operation = self._clients.portal(session).list_account_roles
        arguments = {"accessToken": token.value, "accountId": account_id}
        found: list[str] = []
        for page in self._pages(operation, arguments, replies.ListAccountRoles):
            if any(item.account_id not in {None, account_id} for item in page.role_list):
                raise UnexpectedReply("ListAccountRoles: it is about another account")
            found += [item.role_name for item in page.role_list]
        return found

    def _pages(
        self,
        operation: Callable[..., Mapping[str, object]],
        arguments: Mapping[str, object],
        shape: type[Page],
    ) -> Iterator[Page]:
        asked: dict[str, object] = {**arguments, "maxResults": _PAGE_SIZE}
        for _ in range(_MOST_PAGES):
            page = self._pacer.run(
                lambda: call(Service.PORTAL, operation, asked, shape, self._clock.now).value
            )
            yield page
            if not page.next_token or page.next_token == asked.get("nextToken"):
                return
            asked["nextToken"] = page.next_token
        raise UnexpectedReply("the list never ends")


def _printable(label: str | None) -> str | None:
    """Return the label without control and formatting characters, None when nothing is left."""
    return "".join(char for char in label or "" if char.isprintable()).strip() or None
