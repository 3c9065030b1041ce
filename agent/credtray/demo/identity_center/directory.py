"""Who may do what: users, accounts, the roles assigned in them, and roles that can be assumed from there.

Plain data, changed only by the control interface. It knows no tokens and no time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

SESSION_NAME = "synderys"
START_URL = "https://d-9067000001.awsapps.com/start"
SECOND_START_URL = "https://d-9067000002.awsapps.com/start"
VANITY_HOST = "aws.synderys.com"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can sign in."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Role:
    """A permission set assigned in one account."""

    name: str
    life: timedelta | None = None
    """How long its credentials last; None: as the portal's lifetimes say."""


@dataclass(slots=True)
class Account:
    """An AWS account; name and e-mail may be absent, as in answers of the live service."""

    account_id: str
    name: str | None
    email: str | None
    roles: dict[str, Role]


@dataclass(frozen=True, slots=True)
class AssumableRole:
    """A role that any signed-in role may assume through STS."""

    arn: str
    external_id: str | None = None
    mfa: bool = False
    """Its trust policy wants a code of an MFA device, which no caller here can show."""

    def trusts(self, external_id: str | None) -> bool:
        """Return whether its trust policy lets a role in that shows this external id."""
        return not self.mfa and self.external_id in {None, external_id}


@dataclass(slots=True)
class Directory:
    """One Identity Center instance's people and assignments; every user has every assignment."""

    users: dict[str, User]
    accounts: dict[str, Account]
    assumable: dict[str, AssumableRole] = field(default_factory=dict)
    start_urls: tuple[str, ...] = (START_URL, SECOND_START_URL)
    vanity_hosts: tuple[str, ...] = (VANITY_HOST,)

    def role(self, account_id: str, role_name: str) -> Role | None:
        """Return the assignment, or None where there is none (any more)."""
        account = self.accounts.get(account_id)
        return account.roles.get(role_name) if account else None

    def knows_start_url(self, url: str) -> bool:
        """Return whether *url* leads here; a trailing slash or fragment is not looked at."""
        return url.partition("#")[0].rstrip("/") in self.start_urls

    def assign(self, account_id: str, role: Role) -> None:
        """Add an assignment, and the account with it if it is new."""
        account = self.accounts.setdefault(account_id, Account(account_id, None, None, {}))
        account.roles[role.name] = role

    def remove_role(self, account_id: str, role_name: str) -> None:
        """Take an assignment away; an account without assignments is no longer listed."""
        account = self.accounts[account_id]
        del account.roles[role_name]
        if not account.roles:
            del self.accounts[account_id]

    def remove_account(self, account_id: str) -> None:
        """Take an account with all its assignments away."""
        del self.accounts[account_id]


def _account(number: int, name: str | None, email: str | None, roles: Iterable[str]) -> Account:
    return Account(f"1111000000{number:02d}", name, email, {role: Role(role) for role in roles})


def synderys() -> Directory:
    """Return the demo's directory: eight accounts; ReadOnly, DNS and Security exist once each.

    Two accounts answer without a name or an e-mail address.
    """
    accounts = [
        _account(1, "Synderys Platform", "platform@synderys.example", ["ReadOnly", "Admin"]),
        _account(2, "Synderys Network", "network@synderys.example", ["DNS", "Admin"]),
        _account(3, "Synderys Security", "security@synderys.example", ["Security", "Admin"]),
        _account(4, "Synderys Billing", "billing@synderys.example", ["Billing"]),
        _account(5, "Synderys Web Production", "web@synderys.example", ["Deploy", "Admin"]),
        _account(6, "Synderys Web Staging", "web-staging@synderys.example", ["Deploy", "Developer"]),
        _account(7, None, None, ["Developer"]),
        _account(8, "Synderys Data", None, ["Analyst"]),
    ]
    audit = AssumableRole("arn:aws:iam::222200000001:role/Audit")
    partner = AssumableRole("arn:aws:iam::222200000002:role/Partner", external_id="synderys-7")
    return Directory(
        users={user.name: user for user in (User("alice", "demo"), User("bob", "demo"))},
        accounts={account.account_id: account for account in accounts},
        assumable={role.arn: role for role in (audit, partner)},
    )


def generated(accounts: int, roles: int) -> Directory:
    """Return *accounts* accounts with *roles* roles each, for load and paging."""
    made = {}
    for number in range(accounts):
        account_id = f"{300000000000 + number}"
        names = [f"Role{index:03d}" for index in range(roles)]
        made[account_id] = Account(
            account_id,
            f"Account {number:04d}",
            f"account{number:04d}@example.com",
            {name: Role(name) for name in names},
        )
    return Directory(users={"alice": User("alice", "demo")}, accounts=made)
