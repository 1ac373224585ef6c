"""Hypothesis everywhere: no time limits, for a machine may be busy; in CI always the same cases.

And signals as a terminal has them: whoever starts the tests in the background or under nohup has
them ignored, children inherit that, and a child that is sent SIGINT would then never end.
"""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was measured of a developer's board must not decide in a test."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
