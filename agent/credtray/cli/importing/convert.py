"""Writes an SSO profile for the role that pasted keys are of, so that its keys renew themselves from now on.

Never invents an sso-session: it takes one of the config file, or a preset that a person picked.
"""

from __future__ import annotations

from dataclasses import dataclass

from credtray.app import Components
from credtray.aws.profile_writer import Preview
from credtray.cli import terminal
from credtray.cli.importing.facts import Owner
from credtray.core.addresses import PRESETS
from credtray.core.config.edits import ProfileOutcome, SetupWish
from credtray.core.errors import CredtrayError, UsageError
from credtray.core.models import Account, AwsConfig, SsoSession
from credtray.core.naming import RoleChoice

_SETUP = "Run: credtray setup"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What would be written, or is there already."""

    session: SsoSession
    profile: str
    preview: Preview | None
    """None: a profile for this role is there."""


def conversion(components: Components, owner: Owner, region: str | None, *, ask: bool) -> Conversion:
    """Plan the profile; nothing is written.

    Raises:
        UsageError: nobody knows the role, it is none of Identity Center's, or no session can be told.
        ConfigInvalid: the config file is broken.
    """
    if owner.account_id is None or owner.role_name is None:
        raise UsageError("The account and role of these keys are not known", hint=_SETUP)
    if not owner.identity_center:
        raise UsageError(f"{owner.role_name} is not an Identity Center role, so no sign-in can get its keys")
    config = components.ports.config_file.load()
    for item in config.profiles.values():
        if (item.account_id, item.role_name) == (owner.account_id, owner.role_name) and not item.chain:
            return Conversion(config.sessions[item.session], item.name, None)
    session = _session(config, owner.account_id, ask=ask)
    from credtray.cli.setup.steps import taken_sections

    wish = SetupWish(
        session,
        (RoleChoice(Account(owner.account_id), owner.role_name),),
        region_of_new=region or session.region,
        taken=taken_sections(components),
    )
    preview = components.profile_writer.preview(wish)
    name = next(item.profile for item in preview.plan.profiles if item.change is not ProfileOutcome.PRUNED)
    return Conversion(session, name, preview)


def offer(components: Components, owner: Owner, region: str | None) -> Conversion | None:
    """Ask whether to write the profile; None where nothing can be offered, or nobody wants it."""
    try:
        found = conversion(components, owner, region, ask=False)
    except CredtrayError:
        return None  # nothing was asked for, so nothing is wrong
    if found.preview is None:
        return found
    from credtray.cli.questions import ask_yes

    show(components, found.preview)
    question = f"Also write this profile? Its keys then renew with a sign-in to {found.session.name}."
    return found if ask_yes(question, default=False) else None


def show(components: Components, preview: Preview) -> None:
    """Draw what would be written."""
    from credtray.cli.setup.plan_view import plan_view
    from credtray.cli.setup.steps import place_of

    plan = plan_view(preview.plan.profiles, preview.diff, {}, place_of(components), whole=False)
    terminal.draw(plan, talk=True)


def write(components: Components, found: Conversion) -> None:
    """Write the profile, so that `credtray undo` can take it back.

    Raises:
        FileContended, FileUnparsable, FileRefused, FileUnwritable: nothing was written.
    """
    if found.preview is None or not found.preview.diff:
        return
    from credtray.cli.setup.steps import remember

    written = components.profile_writer.apply(found.preview)
    remember(components, f"import {found.profile}", written)


def _session(config: AwsConfig, account_id: str, *, ask: bool) -> SsoSession:
    """Return the session that signs in for this account, as far as that can be told."""
    known = {name: each for name, each in config.sessions.items() if not each.legacy}
    used = {item.session for item in config.profiles.values() if item.account_id == account_id}
    for names in (used & known.keys(), known.keys()):
        if len(names) == 1:
            return known[next(iter(names))]
    if ask:
        presets = {
            name: SsoSession(name, preset.start_url, preset.region, preset.scopes)
            for name, preset in PRESETS.items()
            if name not in config.sessions
        }
        return _picked({**known, **presets})
    if known:
        raise UsageError(f"Several sessions could be the right one: {', '.join(sorted(known))}", hint=_SETUP)
    raise UsageError("The config file has no sso-session for it", hint=_SETUP)


def _picked(sessions: dict[str, SsoSession]) -> SsoSession:
    from credtray.cli.questions import ask_one

    options = [(f"{name}  {each.start_url}", each) for name, each in sessions.items()]
    picked = ask_one("Which sign-in has this role?", [*options, ("none of these", None)])
    if picked is None:
        raise UsageError("You have to set up another sign-in first", hint=_SETUP)
    return picked
