"""Role credentials that were issued, by the portal or by STS, and whether they are still good.

They outlive the sign-in they came from, as at AWS: nothing but their own expiry ends them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from credtray.demo.identity_center import canary


@dataclass(frozen=True, slots=True)
class RoleSession:
    """One set of issued keys and whom they speak for."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime
    arn: str
    """arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION."""
    account_id: str
    user_id: str
    """AROA...:SESSION."""
    chained: bool = False
    """True for keys that came out of AssumeRole."""


class RoleSessions:
    """Every set of keys there was."""

    def __init__(self) -> None:
        self._by_key: dict[str, RoleSession] = {}
        self._role_ids: dict[tuple[str, str], str] = {}

    def issue(
        self,
        account_id: str,
        role: str,
        session_name: str,
        expires_at: datetime,
        *,
        chained: bool = False,
    ) -> RoleSession:
        """Issue keys for *role* (its name as in the ARN) in *account_id*."""
        role_id = self._role_ids.setdefault((account_id, role), canary.role_id())
        session = RoleSession(
            access_key_id=canary.access_key_id(),
            secret_access_key=canary.secret_access_key(),
            session_token=canary.session_token(),
            expires_at=expires_at,
            arn=f"arn:aws:sts::{account_id}:assumed-role/{role}/{session_name}",
            account_id=account_id,
            user_id=f"{role_id}:{session_name}",
            chained=chained,
        )
        self._by_key[session.access_key_id] = session
        return session

    def find(self, access_key_id: str) -> RoleSession | None:
        """Return the session of that key id."""
        return self._by_key.get(access_key_id)
