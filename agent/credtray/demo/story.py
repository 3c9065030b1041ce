"""The main job as a story of four hours: each step is done or waited for, checked, and told in one line.

Raises ``Missing`` at the first step that does not happen; must not put right what it finds wrong.
"""

from __future__ import annotations

import configparser
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TextIO, TypeVar

from rich.console import RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from credtray.cli.terminal import screen
from credtray.core.models import CredentialStatus
from credtray.core.protocol.results import LogoutResult
from credtray.core.settings import Settings
from credtray.core.shapes import from_json
from credtray.core.shell_words import command_words
from credtray.core.words import short
from credtray.demo.home import FOLDER, FOREIGN_SECTION
from credtray.demo.identity_center import REGION, SESSION_NAME, START_URL
from credtray.demo.identity_center.exchange import CANARY
from credtray.demo.stage import COMMAND_SECONDS, USER, Child, Heard, Missing, Moment, Stage
from credtray.desktop.autostart import credential_process_command

# What the demo prints: one line for each thing that happens, at the demo's time. Decides nothing.
#
# In colours on a terminal, with a moving clock below; plain anywhere else.


_LABEL_WIDTH = 10
_PLAIN_WIDTH = 100
_WIDEST = 110
_STYLES = {
    "portal": "quiet",
    "your turn": "strong accent",
    "set up": "accent",
    "signed in": "strong good",
    "agent": "quiet",
    "kept": "good",
    "switched": "good",
    "asked": "accent",
    "refreshed": "good",
    "warned": "strong warning",
    "ended": "strong bad",
    "signed out": "warning",
    "removed": "good",
    "stopped": "quiet",
    "failed": "strong bad",
}


class Timeline:
    """The printed timeline.

    Args:
        stream: where to.
        now: the demo's time.
    """

    def __init__(self, stream: TextIO, now: Callable[[], datetime]) -> None:
        width = None if stream.isatty() else _PLAIN_WIDTH
        self._console = screen(stream, width)
        self._console.width = min(self._console.width, _WIDEST)
        self._now = now
        self._printed: list[str] = []

    @property
    def secrets(self) -> int:
        """How many secrets were printed: every secret of the demo's portal carries a word to find it by."""
        return sum(text.count(CANARY) for text in self._printed)

    def say(self, text: str = "", style: str = "") -> None:
        """Print a paragraph that belongs to no time."""
        self._print(text, Text(text, style))

    def tell(self, label: str, text: str) -> None:
        """Print what happened just now."""
        clock = self._now().astimezone().strftime("%H:%M")
        self._print(text, _row(Text(clock, "quiet"), Text(label, _STYLES.get(label, "")), Text(text)))

    def detail(self, text: str) -> None:
        """Print something that belongs to the line above."""
        self._print(text, _row(Text(), Text(), Text(text, "good" if text.startswith("+") else "quiet")))

    def _print(self, text: str, shape: RenderableType) -> None:
        """Print without the blanks that rich fills lines with: nobody wants to copy those."""
        self._printed.append(text)
        for line in self._console.render_lines(shape, pad=False):
            shown = Text.assemble(*((part.text, part.style or "") for part in line))
            shown.rstrip()
            self._console.print(shown)

    @contextmanager
    def moving(self, moment: Callable[[], str]) -> Iterator[None]:
        """Show the time and *moment* below the timeline while it goes on, on a terminal only."""
        if not self._console.is_terminal:
            yield
            return

        def below() -> Padding:
            clock = self._now().astimezone().strftime("%H:%M:%S")
            return Padding(Text(f"{clock}  {moment()}", "reverse"), (1, 1, 0, 1), expand=False)

        with Live(console=self._console, get_renderable=below, refresh_per_second=8, transient=True):
            yield


def _row(clock: Text, label: Text, text: Text) -> Table:
    """Return one line of three columns; a long text goes on below itself."""
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=6, justify="right")
    row.add_column(width=_LABEL_WIDTH)
    row.add_column(overflow="fold")
    row.add_row(clock, label, text)
    return row


# The programs of the demo that need keys: each gets them in its own way, and says who it is with them.
#
# Each is the real thing in a process of its own; raises ``Missing`` when it is not who it should be.


_LEAST = timedelta(minutes=15)
_WHO_AM_I = """
import sys
sys.path.append({folder!r})
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
"""


def _who_am_i() -> str:
    """Return the program; it finds boto3 also where only credtray.pyz has it."""
    return _WHO_AM_I.format(folder=str(FOLDER))


class Programs:
    """Asks for keys as programs do."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self._stage = stage
        self._told = timeline

    def told_no_profile(self, role: str) -> None:
        """Let boto3 use whatever is the default."""
        account, name = self._who("asked", role, self._stage.python("asked", "-c", _who_am_i()))
        self._told.tell("asked", f"boto3, told no profile, is {name} as {role} in {account}")

    def credential_process(self, profile: str) -> None:
        """Run what stands behind ``credential_process`` in a config file."""
        command = credential_process_command(profile)
        words = command_words(command, windows=sys.platform == "win32")
        answer = json.loads(self._stage.python("asked", *words[1:]))
        left = datetime.fromisoformat(answer["Expiration"]) - self._stage.clock.now()
        if left < _LEAST:
            raise Missing("asked", f"credential_process got keys with {short(left)} left")
        self._told.tell("asked", f"credential_process of {profile}: keys good for {short(left)}")

    def child(self, profile: str, role: str) -> None:
        """Run a program that knows nothing of profiles under `credtray exec`."""
        words = ("exec", profile, "--for", "45m", "--", sys.executable, "-I", "-c", _who_am_i())
        _, name = self._who("ran", role, self._stage.credtray("ran", *words).out.strip())
        self._told.tell("ran", f"credtray exec {profile}: the program is {name} as {role}")

    def _who(self, step: str, role: str, arn: str) -> tuple[str, str]:
        """Return the account and the person of an assumed role's ARN."""
        account, _, assumed = arn.partition("::")[2].partition(":assumed-role/AWSReservedSSO_")
        if not assumed.startswith(f"{role}_"):
            raise Missing(step, f"it is {arn}, not {role}")
        return account, assumed.rpartition("/")[2]


T = TypeVar("T")

PROFILES = ("synderys-readonly", "synderys-dns", "synderys-security")
CHOSEN = "synderys-dns"
ASKING = "synderys-security"
RUNNING = "synderys-readonly"

_SIGN_IN_SECONDS = 630.0
"""The ten minutes a person has for a sign-in, and a little."""
_LATE = timedelta(minutes=30)
"""How much later than expected the end may be told: the end is only learned."""
_WARNINGS = Settings().warn_before
"""How long before the end the agent warns of it."""
_LOOK_SECONDS = 0.3
"""How often it is seen whether a person has pressed Enter."""
_AT_THE_END = 120.0
"""The fastest pace for the last minutes: the agent makes sure of an end in real time."""
_SHOWN = ("sso_start_url", "sso_account_id", "sso_role_name")
_NO_BROWSER = "No browser"


class Story:
    """One run of the demo."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self._stage = stage
        self._observed = stage.observed
        self._told = timeline
        self._programs = Programs(stage, timeline)
        self._agent: Child | None = None
        self._helpless = False
        """No browser took the address of the sign-in under way."""
        self._enter = threading.Event()
        """Set when a person has pressed Enter."""

    def tell(self) -> None:
        """Go through all steps.

        Raises:
            Missing: one did not happen.
        """
        if self._stage.plan.attended:
            threading.Thread(target=self._hear_enter, name="enter", daemon=True).start()
        with self._told.moving(self._moment):
            self._set_up()
            self._start_agent()
            self._keep()
            self._switch()
            self._programs.told_no_profile("DNS")
            self._programs.credential_process(ASKING)
            self._programs.child(RUNNING, "ReadOnly")
            self._watch_the_hours()
            self._sign_in_fresh()
            self._programs.credential_process(ASKING)
            self._sign_out()
            self._stop()

    # --- the beginning ----------------------------------------------------------------------------------

    def _set_up(self) -> None:
        stage = self._stage
        accounts = len(stage.portal.directory.accounts)
        self._told.tell("portal", f"{stage.portal.url}, an Identity Center with {accounts} accounts")
        self._announce_browser()
        words = ("--session", SESSION_NAME, "--start-url", START_URL, "--region", REGION, "--accounts", "all")
        roles = ("--roles", "ReadOnly,DNS,Security", "--session-duration", "4h", "--yes")
        stage.credtray("set up", "setup", *words, *roles, within=self._patience, talk=self._address)
        written = configparser.RawConfigParser()
        written.read(stage.home.config, "utf-8")
        absent = [name for name in PROFILES if f"profile {name}" not in written]
        if absent:
            raise Missing("set up", f"{', '.join(absent)} not in the config file")
        self._told.tell("set up", "credtray setup has written ~/.aws/config, as `aws configure sso` would")
        for name, section in written.items():
            if section:
                about = " ".join(section.get(each, "") for each in _SHOWN)
                self._told.detail(f"+ {f'[{name}]':<28}{about.strip()}")

    def _start_agent(self) -> None:
        stage = self._stage
        self._agent = stage.start_agent()
        while not stage.status("agent").agent.running:
            self._check_agent()
        stage.start_watching()
        moment = self._when("signed in", lambda now: now.signed_in_until is not None)
        self._told.tell("signed in", f"as {USER}, in the browser; {_until(moment)}")
        self._told.tell("agent", f"credtray run (pid {self._agent.pid}) has found the sign-in by itself")

    def _keep(self) -> None:
        self._stage.asked("kept", "activate", *PROFILES)
        moment = self._when("kept", lambda now: len(now.keys_until) == len(PROFILES))
        self._told.tell(
            "kept", f"{len(PROFILES)} profiles: ~/.aws/credentials has keys until {_keys(moment)}"
        )

    def _switch(self) -> None:
        def chosen(moment: Moment) -> bool:
            return moment.default == CHOSEN

        if not self._persons(f"click the icon in your panel, then Default profile > {CHOSEN}", chosen):
            self._stage.asked("switched", "switch", CHOSEN)
        self._told.tell("switched", f"[default] is {CHOSEN} now")

    # --- four hours -------------------------------------------------------------------------------------

    def _watch_the_hours(self) -> None:
        """Tell of renewals and notices as they come, until the sign-in has ended."""
        stage, heard, warnings = self._stage, 0, 0
        newest = max(self._now("refreshed").keys_until)
        stage.clock.run(stage.plan.speed)
        while True:
            found = self._news(newest, heard, warnings)
            if isinstance(found, Moment):
                newest = max(found.keys_until)
                self._tell_renewal(found)
                continue
            heard += 1
            if found.ended:
                break
            warnings += found.warns
            self._told.tell("warned" if found.warns else "told", found.title)
            if warnings == len(_WARNINGS):
                stage.clock.run(min(stage.plan.speed, _AT_THE_END))
        if warnings < len(_WARNINGS):
            raise Missing("warned", f"{warnings} of {len(_WARNINGS)} warnings came before the end")
        stage.clock.run(1)
        self._told.tell("ended", found.body.partition(" Sign in:")[0])

    def _news(self, newest: datetime, heard: int, warnings: int) -> Moment | Heard:
        """Return the next thing to tell: a notice, or how things stand once all keys are newer."""

        def look() -> tuple[Moment | Heard] | None:
            if len(self._observed.notices) > heard:
                return (self._observed.notices[heard],)
            renewed = self._renewed(newest)
            return None if renewed is None else (renewed,)

        moment = self._now("refreshed")
        oldest, end = min(moment.keys_until), moment.signed_in_until
        if end is not None and oldest < end:
            step, due = "refreshed", oldest
        else:
            step, due = "ended", (end or oldest) + _LATE
        if end is not None and warnings < len(_WARNINGS) and end - _WARNINGS[warnings] < due:
            warned = self._observed.wait_for_due(look, end - _WARNINGS[warnings], COMMAND_SECONDS / 2)
            if warned is not None:
                return warned[0]
        return self._wait(step, look, due - self._stage.clock.now())[0]

    def _renewed(self, newest: datetime) -> Moment | None:
        """Return how things stand once the keys of all profiles last longer than any did."""
        moment = self._observed.moment
        if moment is None or len(moment.keys_until) < len(PROFILES):
            return None
        return moment if min(moment.keys_until) > newest else None

    def _tell_renewal(self, moment: Moment) -> None:
        if not self._stage.portal.journal.by_grant().get("refresh_token"):
            raise Missing("refreshed", "the keys are new, but the token was never refreshed")
        end = "" if moment.session.end_is_estimate else f"; the sign-in ends at {_at(moment.signed_in_until)}"
        token = f"token until {_at(moment.session.access_token_expires_at)}"
        self._told.tell("refreshed", f"silently: {token}, keys until {_keys(moment)}{end}")

    # --- the end ----------------------------------------------------------------------------------------

    def _sign_in_fresh(self) -> None:
        stage, ended = self._stage, self._now("signed in fresh")

        def signed_in(moment: Moment) -> bool:
            return moment.session.state is CredentialStatus.FRESH

        how = f"then sign in as {USER}, password {stage.portal.directory.users[USER].password}"
        if not self._persons(f"click Sign in on the notification, or in the icon's menu; {how}", signed_in):
            self._announce_browser()
            stage.asked("signed in fresh", "login", within=self._patience, talk=self._address)
        moment = self._when("signed in fresh", lambda now: now.session.state is CredentialStatus.FRESH)
        before, after = ended.signed_in_until, moment.signed_in_until
        if before is None or after is None or after <= before:
            raise Missing("signed in fresh", f"the end did not move: {_at(before)}, {_at(after)}")
        self._told.tell("signed in", f"fresh; {_until(moment)}: the end moved by {short(after - before)}")
        stage.clock.run(stage.plan.speed)
        newest = max(ended.keys_until)
        renewed = self._wait("kept", lambda: self._renewed(newest), newest - stage.clock.now())
        stage.clock.run(1)
        self._told.tell("kept", f"{len(PROFILES)} profiles: keys until {_keys(renewed)}, by the new sign-in")

    def _sign_out(self) -> None:
        def signed_out(moment: Moment) -> bool:
            return moment.session.state is CredentialStatus.SIGNED_OUT

        if not self._persons("click the icon, then Sign out > Yes", signed_out):
            answer = from_json(self._stage.asked("signed out", "logout"), LogoutResult)
            if not answer.told_portal:
                raise Missing("signed out", "the portal was not told")
        if self._stage.portal.active_sign_ins():
            raise Missing("signed out", "the portal still has a sign-in")
        self._told.tell("signed out", "at the portal too; the token is gone")
        credentials = self._stage.home.credentials
        as_before = self._observed.wait(
            lambda: credentials.read_bytes() == FOREIGN_SECTION or None, COMMAND_SECONDS / 2
        )
        if not as_before:
            raise Missing("removed", "the credentials file is not what it was before")
        self._told.tell("removed", "all keys: ~/.aws/credentials is, byte for byte, what it was before")

    def _stop(self) -> None:
        self._stage.asked("stopped", "stop")
        if self._agent is None or self._agent.running:
            raise Missing("stopped", "the agent is still there")
        self._told.tell("stopped", "credtray stop: the agent is gone")

    # --- the person -------------------------------------------------------------------------------------

    def _persons(self, request: str, done: Callable[[Moment], bool]) -> bool:
        """Ask the person who watches to do it; False: nobody does, so the demo has to.

        Enter in the terminal, or ten minutes without a click, leave it to the demo.
        """
        if not self._stage.plan.attended or not self._now("icon").has_icon:
            return False
        self._told.tell("your turn", request)
        self._told.detail("(or press Enter, and the demo does it by a command)")
        until = time.monotonic() + _SIGN_IN_SECONDS
        self._enter.clear()
        while time.monotonic() < until and not self._enter.is_set():
            if self._observed.wait(lambda: self._so(done), _LOOK_SECONDS):
                return True
            self._check_agent()
        return False

    def _so(self, right: Callable[[Moment], bool]) -> Moment | None:
        moment = self._observed.moment
        return moment if moment is not None and right(moment) else None

    def _hear_enter(self) -> None:
        """Take each line typed at the terminal for "go on"."""
        # Not sys.stdin: a thread that holds its lock at exit makes the interpreter abort.
        with suppress(OSError):
            while os.read(0, 4096):
                self._enter.set()

    # --- waiting ----------------------------------------------------------------------------------------

    def _when(self, step: str, right: Callable[[Moment], bool]) -> Moment:
        """Wait until the agent tells that things stand so."""
        return self._wait(step, lambda: self._so(right), timedelta())

    def _now(self, step: str) -> Moment:
        """Return how things stand."""
        return self._when(step, lambda moment: bool(moment.keys_until))

    def _wait(self, step: str, look: Callable[[], T | None], due: timedelta) -> T:
        found = self._observed.wait(look, self._stage.seconds(due))
        if found is None:
            self._check_agent()
            raise Missing(step, f"it did not happen until {_at(self._stage.clock.now())}")
        return found

    def _check_agent(self) -> None:
        if self._agent is None or not self._agent.running:
            talk = self._agent.talk.strip() if self._agent is not None else ""
            raise Missing("agent", talk or "it has ended")

    # --- the browser ------------------------------------------------------------------------------------

    @property
    def _patience(self) -> float:
        """Seconds for a command that waits for a sign-in."""
        return _SIGN_IN_SECONDS if self._stage.plan.attended else COMMAND_SECONDS

    def _announce_browser(self) -> None:
        if self._stage.plan.attended:
            password = self._stage.portal.directory.users[USER].password
            self._told.tell("your turn", f"your browser opens: sign in as {USER}, password {password}")

    def _address(self, line: str) -> None:
        """Show the address of a sign-in when no browser took it; hears what the command says."""
        if line.startswith(_NO_BROWSER):
            self._told.detail(line)
            self._helpless = True
        elif self._helpless and line.startswith("http"):
            self._told.detail(line)
            self._helpless = False

    def _moment(self) -> str:
        moment, now = self._observed.moment, self._stage.clock.now()
        if moment is None:
            return "not signed in yet"
        parts = []
        if moment.signed_in_until is not None:
            parts.append(_left("sign-in", moment.signed_in_until, now))
        if moment.keys_until:
            parts.append(_left("keys", min(moment.keys_until), now))
        return " · ".join([*parts, f"time runs {self._stage.clock.speed:g} x"])


def _left(what: str, until: datetime, now: datetime) -> str:
    return f"{what}: {short(until - now)} left" if until > now else f"{what}: over"


def _until(moment: Moment) -> str:
    return f"until {'about ' if moment.session.end_is_estimate else ''}{_at(moment.signed_in_until)}"


def _keys(moment: Moment) -> str:
    return _at(min(moment.keys_until))


def _at(instant: datetime | None) -> str:
    """Return the reader's clock at that time."""
    return "unknown" if instant is None else instant.astimezone().strftime("%H:%M")
