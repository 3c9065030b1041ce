"""Adds profiles from the page: the steps of `credtray setup`, with forms in place of questions.

Writes once, at its end, after the difference was shown and agreed to; until then nothing is changed. There is
one run at a time for one agent: two tabs show the same.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

from credtray.app import Components
from credtray.aws.profile_writer import Preview
from credtray.core.addresses import pasted_start_url
from credtray.core.config.setup_edits import ProfileOutcome, SetupWish
from credtray.core.errors import CredtrayError, Problem, SignInCancelled, UsageError
from credtray.core.events import FilesChanged
from credtray.core.models import SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.state import State
from credtray.core.words import exact, plain
from credtray.daemon.loop import Loop
from credtray.daemon.sign_in import SignInProgress, SignInRequest
from credtray.daemon.workers import Workers
from credtray.desktop.autostart import Autostart
from credtray.page.actions import Fields, Message, one, out_of_date
from credtray.roles.record import choices, several
from credtray.roles.watch import Offer as NewRoles
from credtray.roles.watch import RoleWatch
from credtray.setup import session as portal
from credtray.setup.config_place import (
    as_read,
    check_place,
    credentials_profiles,
    not_remembered,
    place_of,
    taken_sections,
)
from credtray.setup.session import (
    DEFAULT_REGION,
    Count,
    SessionWish,
    Talk,
    known_session,
    listed,
    new_session,
    preset_of,
    suggested_name,
)
from credtray.setup.team_file import TeamSession, installed

_log = logging.getLogger(__name__)


class Stage(Enum):
    """Where it stands."""

    START = "start"
    SIGNING_IN = "signing_in"
    CHOOSING = "choosing"
    PREVIEW = "preview"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Offer:
    """One sign-in to begin with."""

    value: str
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Tick:
    """One account and role."""

    number: str
    account: str
    role: str
    there: bool
    """It has a profile already."""
    new: bool
    """It came lately."""
    searched: str


@dataclass(frozen=True, slots=True)
class News:
    """Roles of one session that came lately and have no profile."""

    session: str
    label: str
    roles: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of the difference."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class AddView:
    """What the view shows."""

    stage: str
    offers: tuple[Offer, ...] = ()
    region: str = DEFAULT_REGION
    session: str = ""
    shown: str = ""
    """Of the choices or the difference: a form that was made for others is out of date."""
    code: str = ""
    address: str = ""
    ticks: tuple[Tick, ...] = ()
    place: str = ""
    new: tuple[str, ...] = ()
    diff: tuple[DiffLine, ...] = ()
    problem: Message | None = None
    at_login: bool | None = None
    """None: a login starts nothing here."""
    first: bool = False
    """Nothing is set up yet."""
    news: tuple[News, ...] = ()

    @property
    def waits(self) -> bool:
        """True while it goes on by itself."""
        return self.stage == "signing_in"


def _new_key() -> str:
    return secrets.token_hex(4)


@dataclass(slots=True)
class _Run:
    """One run; what is thrown away when another begins."""

    key: str = field(default_factory=_new_key)
    """Of its choices."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    step: SignInProgress | None = None
    session: SsoSession | None = None
    team: TeamSession | None = None
    """What an installed team file says of it."""
    choices: tuple[RoleChoice, ...] = ()
    there: frozenset[tuple[str, str]] = frozenset()
    new: frozenset[tuple[str, str]] = frozenset()
    preview: Preview | None = None
    previewed: str = ""
    """Key of that difference."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever writes has it: a form that comes twice waits for what came of the first."""
    written: tuple[str, ...] = ()


class Adding:
    """The run of one agent. On the loop's thread; what blocks goes to the workers."""

    def __init__(
        self,
        components: Components,
        workers: Workers,
        loop: Loop,
        changed: Callable[[], None],
        roles: RoleWatch,
    ) -> None:
        self._components = components
        self._workers = workers
        self._loop = loop
        self._changed = changed
        self._roles = roles
        self._autostart = Autostart()
        self._at_login: bool | None = None
        self._stage = Stage.START
        self._problem: Message | None = None
        self._run = _Run()
        self.handlers: Mapping[str, Callable[[Fields], Awaitable[Message]]] = {
            "add-begin": self._begin,
            "add-cancel": self._cancel,
            "add-pick": self._pick,
            "add-back": self._back,
            "add-write": self._write,
            "add-more": self._cancel,
            "add-new": self._begin_new,
            "add-not-now": self._not_now,
            "start-at-login": self._start_at_login,
        }
        """What carries out which form."""

    def close(self) -> None:
        """Give up a sign-in under way."""
        self._run.cancelled.set()

    # --- what is shown ----------------------------------------------------------------------------------

    def view(self, state: State) -> AddView:
        """Return what the view shows now."""
        run = self._run
        name = plain(run.session.name) if run.session is not None else ""
        match self._stage:
            case Stage.START:
                offers, news = tuple(_offers(state)), tuple(map(_news, self._roles.offers()))
                return AddView("start", offers, problem=self._problem, first=not state.sessions, news=news)
            case Stage.SIGNING_IN:
                step = run.step
                code = step.user_code if step is not None and step.user_code else ""
                address = step.url if step is not None and step.url and not step.user_code else ""
                return AddView("signing_in", session=name, code=code, address=address or "")
            case Stage.CHOOSING:
                ticks = tuple(self._ticks())
                return AddView("choosing", session=name, shown=run.key, ticks=ticks, problem=self._problem)
            case Stage.PREVIEW:
                return self._previewed(name)
            case Stage.WRITTEN:
                return AddView("written", session=name, new=run.written, at_login=self._at_login)

    def _ticks(self) -> list[Tick]:
        numbers = {choice.key: str(number) for number, choice in enumerate(self._run.choices)}
        ticks = []
        for (account, _), choice in listed(self._run.choices, ()):
            there, words = choice.key in self._run.there, plain(account, 80)
            searched = f"{account} {choice.role_name}".casefold()
            new, role = choice.key in self._run.new, plain(choice.role_name)
            ticks.append(Tick(numbers[choice.key], words, role, there, new, plain(searched, 200)))
        return sorted(ticks, key=lambda tick: not tick.new)

    def _previewed(self, name: str) -> AddView:
        run, preview = self._run, self._run.preview
        assert preview is not None  # noqa: S101 - the stage says so
        new = [item.profile for item in preview.plan.profiles if item.change is ProfileOutcome.ADDED]
        kinds = {"+": "plus", "-": "minus", "@": "where"}
        diff = tuple(
            DiffLine(kinds.get(line[:1], "same"), plain(line, 400))
            for line in preview.diff.splitlines()
            if not line.startswith(("+++", "---"))
        )
        place = place_of(self._components)
        return AddView(
            "preview",
            session=name,
            shown=run.previewed,
            new=tuple(map(plain, new)),
            diff=diff,
            place=place,
            problem=self._problem,
        )

    # --- the steps --------------------------------------------------------------------------------------

    async def _begin(self, fields: Fields) -> Message:
        """Sign in where that is needed, and ask the portal what there is."""
        if self._stage is Stage.SIGNING_IN:
            return Message("Finish signing in in your browser", shown=False)
        wish = _wish(fields, self._loop.state)
        check_place(self._components)
        state, run = self._loop.state, _Run()
        existing = known_session(wish, state.config)
        session = existing or new_session(wish, state.config)
        self._run, self._stage, self._problem = run, Stage.SIGNING_IN, None
        run.session, run.team = session, None if existing is not None else preset_of(wish)
        running = asyncio.get_running_loop()

        def step(progress: SignInProgress) -> None:
            running.call_soon_threadsafe(self._stepped, run, progress)

        talk = Talk(_say_nothing, step, run.cancelled.is_set, _count_nothing)

        def work() -> tuple[SsoSession, tuple[RoleChoice, ...]]:
            return self._looked(session, state, talk, is_new=existing is None)

        self._workers.sign_in(
            work, lambda found: self._found(run, *found), lambda why: self._failed(run, why)
        )
        return Message("Finish signing in in your browser", "This page continues automatically.", shown=False)

    def begin_with(self, session: str) -> None:
        """Offer what was listed last, the new roles ticked: nothing is asked of the portal.

        What is under way in another tab stays as it is.
        """
        offer = self._roles.offer(session)
        if offer is not None and self._stage in {Stage.START, Stage.CHOOSING, Stage.WRITTEN}:
            run = self._run = _Run(new=offer.record.new)
            self._found(run, offer.session, choices(offer.record))

    async def _begin_new(self, fields: Fields) -> Message:
        self.begin_with(one(fields, "session"))
        return Message("Check what is ticked", shown=False)

    async def _not_now(self, fields: Fields) -> Message:
        self._roles.hide(one(fields, "session"), seen=True)
        return Message("You will not be asked again about these roles")

    def _looked(
        self, session: SsoSession, state: State, talk: Talk, *, is_new: bool
    ) -> tuple[SsoSession, tuple[RoleChoice, ...]]:
        """Return the session as it is to be written, and all accounts and roles; blocks for minutes."""
        ports = self._components.ports
        if is_new:
            session = portal.located(ports, as_read(self._components, session, state.settings), talk)
        request = SignInRequest(command=state.settings.session(session.name).browser)
        access = portal.sign_in(ports, session, request, talk)
        _, _, found = portal.choices_of(ports, access, request, lambda _account: True, talk)
        if not found:
            raise UsageError("No role is assigned to you", hint="Ask your administrator for an assignment.")
        return session, tuple(found)

    def _stepped(self, run: _Run, progress: SignInProgress) -> None:
        if run is self._run:
            run.step = progress
            self._changed()

    def _found(self, run: _Run, session: SsoSession, choices: tuple[RoleChoice, ...]) -> None:
        if run is not self._run:
            return
        profiles = self._loop.state.config.profiles.values()
        there = (item for item in profiles if item.session == session.name and not item.chain)
        run.there = frozenset((item.account_id, item.role_name) for item in there)
        run.session, run.choices = session, choices
        self._stage = Stage.CHOOSING
        self._loop.take(FilesChanged())  # the sign-in is there, whatever becomes of the profiles
        self._changed()

    def _failed(self, run: _Run, problem: Problem) -> None:
        if run is self._run:
            quiet = problem.code == SignInCancelled.code
            self._stage, self._problem = Stage.START, None if quiet else Message.of(problem)
            self._changed()

    async def _cancel(self, _fields: Fields) -> Message:
        under_way = self._stage is Stage.SIGNING_IN
        self._run.cancelled.set()
        self._run, self._stage, self._problem = _Run(), Stage.START, None
        if under_way:
            return Message("Sign-in cancelled; nothing was changed")
        return Message("Choose a sign-in", shown=False)

    async def _pick(self, fields: Fields) -> Message:
        run = self._run
        if self._stage not in {Stage.CHOOSING, Stage.PREVIEW} or run.session is None:
            raise out_of_date()
        _check_shown(fields, run.key)
        ticked = {number for number in fields.get("role", ()) if number.isdecimal()}
        if fields.get("all") == ("yes",):
            ticked = {str(number) for number in range(len(run.choices))}
        picked = tuple(choice for number, choice in enumerate(run.choices) if str(number) in ticked)
        if not picked:
            raise UsageError("Nothing is ticked", hint="Tick at least one role.")
        wish = _wished(run.session, picked, run.team)
        preview = await self._loop.file_work(lambda: self._preview(wish))
        if run is not self._run:  # given up in another tab meanwhile
            raise out_of_date()
        run.preview, run.previewed = preview, _new_key()
        self._stage, self._problem = Stage.PREVIEW, None
        return Message("Nothing is written yet", "Check the changes first.", shown=False)

    def _preview(self, wish: SetupWish) -> Preview:
        components = self._components
        taken, said = taken_sections(components), credentials_profiles(components)
        return components.profile_writer.preview(replace(wish, taken=taken, credentials=said))

    async def _back(self, fields: Fields) -> Message:
        if self._stage is not Stage.PREVIEW:
            raise out_of_date()
        _check_shown(fields, self._run.previewed)
        self._stage = Stage.CHOOSING
        return Message("Nothing was written", shown=False)

    async def _write(self, fields: Fields) -> Message:
        run = self._run
        async with run.turn:
            _check_shown(fields, self._run.previewed)
            if self._stage is Stage.WRITTEN:  # sent twice: it is written once
                return Message("Written already")
            if self._stage is not Stage.PREVIEW or run.preview is None or run.session is None:
                raise out_of_date()
            await self._written(run, run.session.name, run.preview)
        count = len(run.written)
        title = "1 profile is set up" if count == 1 else f"{count} profiles are set up"
        return Message(title, shown=False)

    async def _written(self, run: _Run, name: str, preview: Preview) -> None:
        """Write it; other tabs may go on meanwhile, and begin another run."""

        def work() -> None:
            if preview.diff:
                written = self._components.profile_writer.apply(preview)
                error = not_remembered(self._components, f"setup {name}", written)
                if error is not None:
                    _log.warning("`credtray undo` cannot undo this: %s", error)
            if run.team is not None and run.team.duration is not None:
                self._remember_length(name, run.team.duration)

        await self._loop.file_work(work)
        run.written = tuple(
            plain(item.profile) for item in preview.plan.profiles if item.change is not ProfileOutcome.PRUNED
        )
        self._loop.take(FilesChanged())
        await self._look_at_login()
        if run is self._run:
            self._stage, self._problem = Stage.WRITTEN, None

    def _remember_length(self, session: str, length: timedelta) -> None:
        try:
            self._components.settings_file.set(("sessions", session, "duration"), exact(length))
        except CredtrayError as error:
            _log.warning("the length of a sign-in could not be saved: %s", error)

    async def _look_at_login(self) -> None:
        try:
            status = await self._workers.desktop_result_of(self._autostart.status)
        except CredtrayError:
            self._at_login = None
        else:
            self._at_login = status.enabled

    async def _start_at_login(self, _fields: Fields) -> Message:
        await self._workers.desktop_result_of(self._autostart.enable)
        self._at_login = True
        return Message("credtray starts at login")


def _check_shown(fields: Fields, key: str) -> None:
    """Refuse a form of a tab that shows other choices, or another difference, than there are now.

    Raises:
        UsageError: nothing is done.
    """
    if fields.get("shown") != (key,):
        raise UsageError(
            "Something changed in another tab", hint="Nothing was done. Check what is shown now."
        )


def _say_nothing(_text: str) -> None:
    """The view says it."""


@contextmanager
def _count_nothing() -> Iterator[Count]:
    """Show no bar: the view waits."""
    yield lambda _what, _done, _total: None


def _wished(session: SsoSession, picked: tuple[RoleChoice, ...], team: TeamSession | None) -> SetupWish:
    """Return what is to be written, named as an installed team file says."""
    if team is None:
        return SetupWish(session, picked, region_of_new=session.region)
    region = team.profile_region or session.region
    return SetupWish(session, picked, team.template, region_of_new=None if region == "none" else region)


def _offers(state: State) -> list[Offer]:
    presets = [
        Offer(f"preset:{name}", plain(name), plain(item.start_url, 80))
        for name, item in installed().items()
        if name not in state.config.sessions
    ]
    there = [
        Offer(f"session:{item.name}", plain(item.name), plain(item.start_url, 80))
        for item in state.config.sessions.values()
        if not item.legacy
    ]
    return [*there, *presets]


def _news(offer: NewRoles) -> News:
    return News(offer.session.name, plain(offer.session.name), several(offer.record, offer.record.new))


def _wish(fields: Fields, state: State) -> SessionWish:
    """Return what a person wants to sign in to.

    Raises:
        UsageError: it is not said.
    """
    kind, _, name = fields.get("offer", ("",))[0].partition(":")
    if kind == "preset":
        return SessionWish(preset=name)
    if kind == "session":
        return SessionWish(name=name)
    said = {each: fields.get(each, ("",))[0].strip() for each in ("start_url", "region", "name")}
    if not said["start_url"]:
        raise UsageError("The start URL is missing", hint="Ask your administrator for it.")
    address = pasted_start_url(said["start_url"])
    chosen = said["name"] or suggested_name(address, state.config)
    return SessionWish(name=chosen, start_url=address, region=said["region"] or DEFAULT_REGION)
