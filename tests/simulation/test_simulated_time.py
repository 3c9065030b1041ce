"""B6: a thousand hours of mixed faults per seed, in virtual time, over the pure core."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credtray.core.notices import Subject
from tests.core.making import HOUR, MINUTE, SECOND
from tests.simulation.desktop_world import AGAIN, DesktopWorld
from tests.simulation.world import World
from tests.soak import SOAK

SEEDS = 200 if SOAK else 10
HOURS = 1000

# A fine clock finds what falls between two ticks, and costs ten times as much: it takes a tenth of the seeds.
COARSE, FINE = 5 * MINUTE, 30 * SECOND


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_thousand_hours_of_mixed_faults(seed: int) -> None:
    world = DesktopWorld(seed, tick=FINE if SOAK and seed % 10 == 0 else COARSE)
    world.run(timedelta(hours=HOURS))

    assert world.sign_ins > 20, "the person never came back: the simulation tested nothing"
    assert world.served > 20
    for (_, subject, says), times in world.notices.items():
        assert times == 1 or subject in AGAIN, f"told {times} times: {subject} {says}"
    assert _most_in_an_hour(world) <= 12
    assert world.returns > 50
    assert world.withdrawn > 20
    assert world.held_back > 5, "nothing ever waited for a return: the simulation tested nothing"
    assert world.reminded > 0
    assert world.slides > 20


def test_calm_days_cost_hardly_more_than_the_ideal_number_of_calls() -> None:
    world = World(1, calm=True)
    world.run(timedelta(hours=HOURS))

    # Two profiles and a token, each renewed every 40 minutes of a signed-in time that fills the whole run.
    ideal = 3 * HOURS * 60 / 40
    assert sum(world.portal.calls.values()) <= 1.2 * ideal


def test_calm_days_warn_once_per_threshold_and_sign_in() -> None:
    world = World(2, calm=True)
    world.run(timedelta(hours=100))

    assert set(world.notices.values()) == {1}
    known = {Subject.ENDS_SOON, Subject.ENDED, Subject.SIGNED_IN}
    assert {subject for _, subject, _ in world.notices} <= known


def _most_in_an_hour(world: World) -> int:
    """Return the largest number of calls in one hour of one storm: the next may begin in the same hour."""
    return max(
        (
            sum(1 for other in calls if call <= other < call + HOUR)
            for calls in world.storms
            for call in calls
        ),
        default=0,
    )
