"""What a decision owes to sound or pictures that do not arrive: worth, and words."""

from msgspec.structs import replace

from edge_daemon.governor.allocation import Worths, next_worthwhile, worths
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.hearing import listens
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

NO_SOUND = "no sound arrives: medium and high would only cost more"
NO_INPUT = "nothing arrives that could be classified: waiting for the camera or the microphone"
_NO_PICTURE = "no picture arrives"


def worth_now(reading: Reading, profile: Profile, limits: Limits) -> Worths | None:
    """Return what the tiers are worth by what arrives; None where nothing does that counts.

    What is not known is taken to arrive.
    """
    sound, picture = reading.sound is not False, reading.picture is not False
    worth = worths(profile, limits.priorities, sound=sound, picture=picture)
    return worth if any(worth) else None


def arrivals_awaited(tier: Tier, reading: Reading, profile: Profile, limits: Limits) -> str:
    """Return what has to arrive, in a clause, before a tier above `tier` is worth anything more."""

    def helps(*, sound: bool, picture: bool) -> bool:
        worth = worths(profile, limits.priorities, sound=sound, picture=picture)
        return next_worthwhile(tier, worth) is not None

    sound, picture = reading.sound is not False, reading.picture is not False
    by_sound = not sound and helps(sound=True, picture=picture)
    by_picture = not picture and helps(sound=sound, picture=True)
    if by_sound is by_picture:
        return "sound or pictures arrive"
    return "sound arrives" if by_sound else "pictures arrive"


def told(decision: Decision, reading: Reading) -> Decision:
    """Return the decision with what it means where no picture arrives."""
    if reading.picture is not False or decision.rule == "no_input":
        return decision
    tier, previous = decision.tier, decision.previous
    if decision.rule == "recovered" and not listens(previous):
        reason = f"{_NO_PICTURE}, and {previous} does not listen; {decision.reason}"
        return replace(decision, rule="no_picture", resource="picture", reason=reason)
    means = "it goes by the sound" if listens(tier) else f"{tier}, which does not listen, waits"
    return replace(decision, reason=f"{decision.reason}; {_NO_PICTURE}: {means}")
