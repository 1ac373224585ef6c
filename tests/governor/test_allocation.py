from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.allocation import ceiling, next_worthwhile, worths
from edge_daemon.governor.limits import Priorities
from edge_daemon.governor.profile import PUBLISHED, Profile
from edge_daemon.tier import TIERS, Tier

shares = st.floats(0.0, 1.0)
weights = st.floats(0.0, 100.0)


def profile_of(*accuracies: float) -> Profile:
    """Return the published profile with other accuracies, from `critical` on."""
    return replace(
        PUBLISHED,
        tiers={
            tier: replace(PUBLISHED.tiers[tier], accuracy=accuracy)
            for tier, accuracy in zip(TIERS, accuracies, strict=True)
        },
    )


def test_with_equal_priorities_a_tier_is_worth_its_accuracy() -> None:
    assert worths(PUBLISHED, Priorities()) == (0.828, 0.852, 0.895, 0.923)
    assert ceiling(worths(PUBLISHED, Priorities())) is Tier.HIGH


def test_a_priority_scales_what_its_part_adds() -> None:
    worth = worths(PUBLISHED, Priorities(picture=2.0, sound=0.5))
    assert [round(each, 4) for each in worth] == [0.828, 0.876, 0.8975, 0.9115]


def test_a_part_that_adds_nothing_is_passed_over() -> None:
    worth = worths(profile_of(0.8, 0.9, 0.9, 0.95), Priorities())
    assert next_worthwhile(Tier.LOW, worth) is Tier.HIGH
    assert next_worthwhile(Tier.CRITICAL, worth) is Tier.LOW
    assert next_worthwhile(Tier.HIGH, worth) is None
    assert ceiling(worths(profile_of(0.8, 0.9, 0.9, 0.85), Priorities())) is Tier.LOW


def test_all_of_the_sound_is_measured_by_the_best_below_it() -> None:
    worth = worths(profile_of(0.8, 0.9, 0.85, 0.95), Priorities(sound=2.0))
    assert [round(each, 4) for each in worth] == [0.8, 0.9, 0.9, 1.0]


@given(st.tuples(shares, shares, shares, shares), weights, weights)
def test_no_tier_is_worth_less_than_the_one_below(
    accuracies: tuple[float, float, float, float], picture: float, sound: float
) -> None:
    worth = worths(profile_of(*accuracies), Priorities(picture=picture, sound=sound))
    assert list(worth) == sorted(worth)
    best = ceiling(worth)
    assert worth[best.rank] == max(worth)
    assert next_worthwhile(best, worth) is None
    for tier in TIERS[: best.rank]:
        upper = next_worthwhile(tier, worth)
        assert upper is not None
        assert tier.rank < upper.rank <= best.rank


def test_what_does_not_arrive_is_worth_nothing() -> None:
    deaf = worths(PUBLISHED, Priorities(), sound=False)
    assert deaf == (0.828, 0.852, 0.852, 0.852)
    assert ceiling(deaf) is Tier.LOW
    blind = worths(PUBLISHED, Priorities(sound=2.0), picture=False)
    assert [round(each, 4) for each in blind] == [0.0, 0.0, 0.086, 0.142]
    assert next_worthwhile(Tier.CRITICAL, blind) is Tier.MEDIUM
    assert worths(PUBLISHED, Priorities(), sound=False, picture=False) == (0.0,) * 4


@given(st.tuples(shares, shares, shares, shares), weights, weights, st.booleans(), st.booleans())
def test_nothing_is_gained_by_losing_an_input(
    accuracies: tuple[float, float, float, float],
    picture: float,
    sound: float,
    hears: bool,
    sees: bool,
) -> None:
    priorities = Priorities(picture=picture, sound=sound)
    whole = worths(profile_of(*accuracies), priorities)
    left = worths(profile_of(*accuracies), priorities, sound=hears, picture=sees)
    assert list(left) == sorted(left)
    assert all(part <= full for part, full in zip(left, whole, strict=True))
