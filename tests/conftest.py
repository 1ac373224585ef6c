"""Hypothesis everywhere: no time limits, for a machine may be busy; in CI always the same cases.

And signals as a terminal has them: whoever starts the tests in the background or under nohup has
them ignored, children inherit that, and a child that is sent SIGINT would then never end.
"""

import os
import signal

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
