"""Several agents, a CLI that writes in place, faults and sign-outs in any order: no sign-in is lost by us."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core.errors import CredtrayError, Offline, TokenRefused
from credtray.core.models import AccessToken, Secret
from tests.aws.refresh_scene import CLIENT, CORP, NOW, Scene, scene_in, token
from tests.soak import examples

AGENTS = 3


class Rotation(RuleBasedStateMachine):
    """Each agent remembers the token it saw last, as the daemon does; the service accepts each token once."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.scene: Scene = scene_in(Path(self.directory.name))
        self.agents = [
            SharedTokenRefresh(self.scene.cache, self.scene.center, waiter=self.scene.waiter)
            for _ in range(AGENTS)
        ]
        self.known: list[AccessToken | None] = [token(1)] * AGENTS
        self.now = NOW
        self.signed_in = True
        self.scene.cache.write(CORP, token(1))

    def teardown(self) -> None:
        self.directory.cleanup()

    @rule(agent=st.integers(0, AGENTS - 1))
    def refresh(self, agent: int) -> None:
        known = self.known[agent]
        if known is None:
            return
        calls = len(self.scene.center.calls)
        holder = [held for held in self.agents if held._unsaved]
        try:
            fresh = self.agents[agent].refresh(CORP, known, self.now)
        except TokenRefused:
            # Only the agent whose disk was full holds the good token; the others cannot know.
            assert holder
            assert self.agents[agent] not in holder
            return
        except CredtrayError:
            return
        assert len(self.scene.center.calls) <= calls + 1
        assert (fresh is None) == (not self.signed_in)
        self.known[agent] = fresh

    @rule()
    def other_program_refreshes(self) -> None:
        there = self._readable()
        if there is not None and there.refresh_token == Secret(self.scene.center.current):
            center = self.scene.center
            fault, center.fault = center.fault, None
            fresh = center.refresh(CORP, there)
            center.fault = fault
            full, self.scene.cache.full = self.scene.cache.full, False
            self.scene.cache.write(CORP, fresh)
            self.scene.cache.full = full

    @rule()
    def person_signs_in(self) -> None:
        center = self.scene.center
        center.number += 100
        center.current = f"refresh-{center.number}"
        full, self.scene.cache.full = self.scene.cache.full, False
        self.scene.cache.write(
            CORP,
            AccessToken(
                Secret(f"token-{center.number}"),
                self.now + timedelta(hours=1),
                Secret(center.current),
                CLIENT,
            ),
        )
        self.scene.cache.full = full
        self.signed_in = True
        self.known = [known or self._readable() for known in self.known]

    @rule()
    def person_signs_out(self) -> None:
        self.scene.cache.token_path(CORP).unlink(missing_ok=True)
        self.signed_in = False

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:  # noqa: FBT001 - a rule takes what hypothesis draws
        self.scene.cache.full = full
        if not full:
            for agent in self.agents:
                agent.save_unsaved(CORP)

    @rule(down=st.booleans())
    def network(self, down: bool) -> None:  # noqa: FBT001 - a rule takes what hypothesis draws
        self.scene.center.fault = Offline("no route") if down else None

    @rule(minutes=st.sampled_from([1, 30, 61]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def _readable(self) -> AccessToken | None:
        try:
            return self.scene.cache.read(CORP)
        except CredtrayError:
            return None

    @invariant()
    def nothing_is_written_after_a_sign_out(self) -> None:
        if not self.signed_in:
            assert not self.scene.cache.token_path(CORP).exists()

    @invariant()
    def the_good_refresh_token_is_never_lost(self) -> None:
        if self.signed_in:
            good = Secret(self.scene.center.current)
            there = self._readable()
            held = [unsaved.fresh for agent in self.agents for unsaved in agent._unsaved.values()]
            everywhere = [there, *held]
            assert any(found is not None and found.refresh_token == good for found in everywhere)


@pytest.mark.timeout(300)
def test_no_sign_in_is_lost_and_none_comes_back() -> None:
    run_state_machine_as_test(
        Rotation, settings=settings(max_examples=examples(100), stateful_step_count=30, deadline=None)
    )
