"""Runs a daemon under signals, and turns how it ended into an exit code."""

import logging
import os
import sys

from edge_daemon import exitcode
from edge_daemon.daemon import Daemon
from edge_daemon.journal.events import Stop
from edge_daemon.journal.files import JournalLockedError
from edge_daemon.signals import Signals
from edge_daemon.worker import Worker

log = logging.getLogger(__name__)


def conduct(daemon: Daemon, *, reloads: bool) -> tuple[int, Stop | None]:
    """Run until a signal or the end of a replay.

    Args:
        daemon: made after `signals.block`.
        reloads: whether SIGHUP reads the config again; otherwise it stops, as in a terminal.

    Returns:
        The exit code, and the summary; None where the journal belongs to another daemon.
    """
    on_reload = daemon.reload if reloads else None
    Worker("signals", Signals(daemon.stop, on_reload, daemon.last_words).run).start()
    try:
        stop = daemon.run()
    except JournalLockedError as error:
        log.error("%s", error)
        return exitcode.BUSY, None
    return exitcode.TROUBLE if daemon.failed else exitcode.OK, stop


def leave(daemon: Daemon, code: int) -> int:
    """Return the code, or end the process with it where a driver holds a thread.

    The journal is closed, and nothing else is worth waiting for a driver at the exit.
    """
    if not daemon.stuck:
        return code
    log.warning("left behind: %s", ", ".join(daemon.stuck))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
