"""Who is compared: each policy by its name, with the settings that it runs with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_daemon.governor.profile import Profile
from edge_daemon.tier import TIERS, Tier
from tools.simulation.board import Board
from tools.simulation.policies.alert import Alert, AlertSettings
from tools.simulation.policies.ours import Ours, OursSettings
from tools.simulation.policies.policy import Policy
from tools.simulation.policies.schedutil import Schedutil, SchedutilSettings
from tools.simulation.policies.spare import Spare, SpareSettings
from tools.simulation.policies.static import Static
from tools.simulation.policies.table import (
    HASTY,
    PatientSettings,
    PatientTable,
    RawSettings,
    RawTable,
)

Settings = (
    Tier
    | RawSettings
    | PatientSettings
    | SchedutilSettings
    | AlertSettings
    | SpareSettings
    | OursSettings
)

TUNED: dict[str, Settings] = {
    "raw table": RawSettings(cpu_cut=0.135, memory_cut=0.721),
    "schedutil": SchedutilSettings(headroom=2.0, hold_s=109.0),
    "ALERT": AlertSettings(measurement=0.000179, process=0.0315, forgetting=0.73, reserve_mib=7.77),
    "10 % spare": SpareSettings(smoothing=0.0339, hold_s=61.3),
}
"""What `tools.simulate tune` found best on the tuning set: the default and 24 random settings of
each policy, judged alike. The tables are frozen: one is what it says, the other's defaults lay
within 0.2 points of the best."""

OURS = "ours"
ORACLE = "oracle"
"""The clairvoyant has no settings: it is planned for each trace."""


@dataclass(frozen=True)
class Contestant:
    """A policy that can be made again and again.

    Attributes:
        name: in tables and plots.
        settings: say which policy it is, and what it goes by.
    """

    name: str
    settings: Settings

    def maker(self, profile: Profile, board: Board) -> Callable[[], Policy]:
        """Return what makes the policy.

        Args:
            profile: the tiers' costs as the policy knows them.
            board: for what a policy may know of it beside: its memory.
        """
        return lambda: _make(self.settings, profile, board)


def contestants(others: Mapping[str, Settings] | None = None) -> list[Contestant]:
    """Return everyone, the oracle excepted.

    Args:
        others: settings in place of these, by name.
    """
    found: dict[str, Settings] = {
        **{f"always {tier}": tier for tier in TIERS},
        **TUNED,
        "table, gaps as hysteresis": HASTY,
        "table, patient": PatientSettings(),
        "ours, published bands": OursSettings(profiled=False),
        OURS: OursSettings(),
    }
    found.update(others or {})
    return [Contestant(name, settings) for name, settings in found.items()]


def _make(settings: Settings, profile: Profile, board: Board) -> Policy:
    match settings:
        case Tier():
            return Static(settings)
        case RawSettings():
            return RawTable(settings)
        case PatientSettings():
            return PatientTable(settings)
        case SchedutilSettings():
            return Schedutil(profile, settings)
        case AlertSettings():
            return Alert(profile, settings)
        case SpareSettings():
            return Spare(profile, board.ram_mib, settings)
        case OursSettings():
            return Ours(profile, settings)
