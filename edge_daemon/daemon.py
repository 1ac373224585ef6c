"""The daemon: makes the parts, starts them, runs the loop, stops them, the journal last."""

import logging
import os
import platform
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from edge_daemon import __version__
from edge_daemon.capture.build import Capturing, build_capture
from edge_daemon.clock import VirtualClock, monotonic_ns
from edge_daemon.clock_watch import ClockWatch
from edge_daemon.config import Config, ConfigError, apply_live, diff
from edge_daemon.config.keys import ReuseConfig
from edge_daemon.features.image import shrink, work_px
from edge_daemon.governor.build import Governing, Recording, build_governing
from edge_daemon.governor.governor import Order
from edge_daemon.governor.senses import Senses
from edge_daemon.governor.watch import Watch
from edge_daemon.inference.bundle import check_models, load_bundle
from edge_daemon.inference.exposure import exposed_to_others
from edge_daemon.inference.gate import Reuse
from edge_daemon.inference.smoothing import Smoother
from edge_daemon.inference.swap import Swapper
from edge_daemon.inference.swap_watch import SwapWatch
from edge_daemon.journal.events import Event, Fault, Reload, Start, Stop
from edge_daemon.journal.writer import Journal
from edge_daemon.loop import Loop
from edge_daemon.pace import Lockstep, Pace, RealTime
from edge_daemon.progress import Progress
from edge_daemon.sdnotify import Notifier
from edge_daemon.status import Status
from edge_daemon.tally import Tally
from edge_daemon.tier import Tier
from edge_daemon.worker import Worker, stop_workers

log = logging.getLogger(__name__)

STOP_S = 1.0
"""How long sources, governor and swap get to stop, all together."""
JOURNAL_STOP_S = 0.7
"""How long the journal gets to write what waits; with STOP_S, less than systemd's patience."""
MANY_LINES = 1024

Observer = Callable[[Event], None]


class Daemon:
    """The parts of one run. `run` is called once.

    Making one reads the bundle and opens each model in a child process; nothing is started.

    Args:
        config: what to run.
        root: the filesystem root that the probes look under.
        environ: NOTIFY_SOCKET and its like.
        observe: sees each event just before the journal does, on the thread that it comes from;
            neither blocks nor raises.
        reload: reads the config again, for SIGHUP; None where there is no file to read.
        recording: a file that every reading goes to, with what was decided on it; None for none.

    Attributes:
        bundle: the models.
        journal: where events go.
        failed: whether a part died of a bug.
        stuck: after the run, the threads that did not stop: a driver holds them.

    Raises:
        BundleError: the bundle cannot be used.
        ProfileError: the profile that the config names cannot be used.
        ConfigError: nothing is left to classify.
        InterpreterError: the TFLite runtime does not work.
        TraceError: the scripted readings cannot be used, or the recording not be written.
    """

    def __init__(
        self,
        config: Config,
        *,
        root: Path = Path("/"),
        environ: Mapping[str, str] = os.environ,
        observe: Observer | None = None,
        reload: Callable[[], Config] | None = None,
        recording: Recording | None = None,
    ) -> None:
        self._config = config
        self._root = root
        self._observe = observe
        self._reload_config = reload
        self._stop = threading.Event()
        self._reason = "end of replay"
        self.failed = False
        self.stuck: list[str] = []
        self._many_lines = min(MANY_LINES, config.journal.buffer_lines // 2)
        self._lockstep = config.replay.pace == "lockstep"
        virtual = VirtualClock() if self._lockstep else None
        self._clock = virtual or monotonic_ns
        self.bundle = load_bundle(config.bundle)
        if others := exposed_to_others(self.bundle):
            log.warning("the bundle is not safe from other users: %s", others)
        check_models(self.bundle)
        self._notifier = Notifier.from_environment(environ)
        self.journal = Journal(
            config.journal.directory,
            clock=self._clock,
            max_file_bytes=config.journal.max_file_mib * 2**20,
            max_total_bytes=config.journal.max_total_mib * 2**20,
            buffer_lines=config.journal.buffer_lines,
        )
        least_px = work_px(spec.inputs.image for spec in self.bundle.tiers.values())
        self._capturing: Capturing = build_capture(
            config,
            sample_rate_hz=self.bundle.sample_rate_hz,
            shrink=partial(shrink, least_px=least_px),
            clock=self._clock,
            on_change=self.write,
            needs_picture=self.bundle.needs_picture,
            root=root,
        )
        self._swapper: Swapper[Order] = Swapper(
            self.bundle, config.inference.threads, self._clock, self._swap_failed
        )
        self._governing: Governing = build_governing(
            config,
            root=root,
            virtual=virtual,
            version=__version__,
            bundle=f"{self.bundle.name} {self.bundle.version}",
            bundle_sha256=self.bundle.sha256,
            requests=self._swapper,
            journal=self,
            recording=recording,
            senses=Senses(self._capturing.sound, self._capturing.picture),
        )
        self._governor = self._governing.governor
        self._smoother = Smoother(
            self.bundle.labels, config.prediction.threshold, config.prediction.smoothing
        )
        self._tally = Tally(Tier.CRITICAL, self._clock())
        self._loop = Loop(
            inputs=self._capturing.inputs,
            swapper=self._swapper,
            smoother=self._smoother,
            journal=self,
            tally=self._tally,
            clock=self._clock,
            announce=config.prediction.journal,
            reuse=_reuse(config.window.reuse),
            meter=self._governing.meter,
        )
        self._pace: Pace = self._make_pace(virtual)
        self._progress = Progress(self._notifier, self.journal, self._clock)
        self._swap_watch = SwapWatch(self._swapper, self._swap_failed, self._fail)
        self._workers = [] if virtual else self._make_workers()
        self._watch = Watch(self._governor, self.write, self._clock())
        self._running = False
        self._clocks = ClockWatch(self.write)
        self._said = Status(self._clock())

    def write(self, event: Event) -> None:
        """Pass an event on to whoever watches and to the journal; neither blocks nor raises."""
        if self._observe is not None:
            self._observe(event)
        self.journal.write(event)

    def stop(self, reason: str) -> None:
        """Ask the run to end; returns at once. Any thread may call it; the first reason counts."""
        if not self._stop.is_set():
            self._reason = reason
            self._stop.set()

    def run(self) -> Stop:
        """Run until told to stop or until a replay ends, and return the summary.

        Raises:
            JournalLockedError: another daemon writes this journal.
        """
        self.journal.start()
        try:
            self.write(self._start_event())
            for worker in self._workers:
                worker.start()
            self._notifier.ready(self._status())
            self._running = True
            self._pace.run(self._step, self._stop, lambda: self._capturing.ended)
        except Exception as error:
            log.exception("the loop failed")
            self._fail("loop", error)
        return self._shut_down()

    def reload(self) -> None:
        """Read the config again and put into force what can change live."""
        if self._reload_config is None:
            self.write(Reload(error="there is no config file to read again"))
            return
        if not self._running or self._stop.is_set():
            return  # `start` is the first line of a run and `stop` the last
        self._notifier.reloading()
        try:
            new = self._reload_config()
        except ConfigError as error:
            log.error("the old configuration goes on: %s", error)
            self.write(Reload(error=str(error)))
        else:
            change = diff(self._config, new)
            self._config = apply_live(self._config, new)
            self._apply()
            if change.restart:
                log.warning("a restart is needed for %s", ", ".join(change.restart))
            self.write(Reload(applied=tuple(change.live), restart=tuple(change.restart)))
        finally:
            self._notifier.ready(self._status())

    def last_words(self) -> None:
        """Bring the journal to disk, for an end without a proper stop."""
        self.journal.flush(0.2)

    def _step(self) -> None:
        self._loop.step()
        self._look_after()
        if self._said.due(self._clock()):  # of whole periods, or its rate would be 0
            self._notifier.status(self._status())

    def _look_after(self) -> None:
        """See to the other parts and the watchdog: after each step, and while none is due."""
        now_ns = self._clock()
        self._capturing.check(now_ns)
        self._swap_watch.check()
        if not self._lockstep:
            self._clocks.check()
        elif self.journal.waiting > self._many_lines:
            self.journal.flush()  # faster than a disk; in real time nothing waits for one
        if self._watch.check(now_ns, self._loop.tier):
            self._progress.check(
                self._loop.fresh_windows,
                sources_down=self._capturing.down(listens=self._loop.pipeline.listens),
                period_ns=max(self._pace.period_ns, self._capturing.picture_ns),
            )

    def _shut_down(self) -> Stop:
        self._notifier.stopping()
        self.stuck = stop_workers(self._workers, STOP_S)
        if self._lockstep:
            for feed in self._capturing.feeds:
                feed.close()
        inputs = self._capturing.inputs
        stop = self._tally.stop(
            self._reason,
            self._clock(),
            dropped_frames=inputs.dropped_frames,
            lost_samples=inputs.lost_samples,
            late_windows=self._pace.late,
            late_max_ns=self._pace.late_max_ns,
        )
        self.write(stop)
        self.journal.stop(JOURNAL_STOP_S)
        if not self.stuck:
            self._governing.close()
            self._swapper.close()
        self._notifier.close()
        return stop

    def _fail(self, name: str, error: Exception) -> None:
        """End the run because a part has died of a bug: systemd starts a fresh one."""
        self.failed = True
        self.write(Fault(part=name, message=f"{name} failed: {error!r}"))
        self.stop(f"{name} failed: {error!r}")

    def _swap_failed(self, tier: Tier, message: str) -> None:
        self.write(Fault(part="swap", message=message))
        self._governor.swap_failed(tier)

    def _apply(self) -> None:
        config = self._config
        self._smoother.threshold = config.prediction.threshold
        self._smoother.weight = config.prediction.smoothing
        self._loop.announce = config.prediction.journal
        self._loop.reuse = _reuse(config.window.reuse)
        self._pace.period_ns = config.window.period_ms * 1_000_000
        self._governing.apply(config)
        self.journal.set_bounds(
            config.journal.max_file_mib * 2**20,
            config.journal.max_total_mib * 2**20,
            config.journal.buffer_lines,
        )
        logging.getLogger().setLevel(config.log.level.upper())

    def _make_pace(self, virtual: VirtualClock | None) -> Pace:
        period_ns = self._config.window.period_ms * 1_000_000
        if virtual is None:
            meter = self._governing.meter
            began = None if meter is None else meter.began
            every_ns = self._notifier.watchdog_every_ns
            return RealTime(self._clock, period_ns, began, idle=self._look_after, idle_ns=every_ns)
        return Lockstep(
            virtual,
            period_ns,
            [feed.pump for feed in self._capturing.feeds],
            [*self._governing.background, (lambda: 0, self._swapper.step)],
        )

    def _make_workers(self) -> list[Worker]:
        feeds = [Worker(feed.kind, feed.run, on_error=self._fail) for feed in self._capturing.feeds]
        return [
            *feeds,
            self._swap_watch.worker,
            *(
                Worker(name, body, on_error=self._fail)
                for name, body in self._governing.bodies.items()
            ),
        ]

    def _start_event(self) -> Start:
        from edge_daemon.inference.interpreter import runtime_version

        return Start(
            version=__version__,
            pid=os.getpid(),
            python=platform.python_version(),
            runtime=runtime_version(),
            board=self._governing.board,
            bundle=f"{self.bundle.name} {self.bundle.version}",
            bundle_sha256=self.bundle.sha256,
            tier=self._loop.tier,
            pinned=self._config.pinned is not None,
            video=self._capturing.video,
            audio=self._capturing.audio,
            repaired_bytes=self.journal.repaired_bytes,
            profile=self._governing.choice.why,
        )

    def _status(self) -> str:
        return self._said.text(
            self._clock(),
            tier=self._loop.tier,
            windows=self._loop.fresh_windows,
            pinned=self._governor.pinned is not None,
            decision=self._governor.decision,
            feeds={feed.kind: feed.state for feed in self._capturing.feeds},
            disk=self.journal.error,
        )


def _reuse(config: ReuseConfig) -> Reuse | None:
    """Return the settings of the gate; new ones, so that a reload has the next window computed."""
    if not config.enabled:
        return None
    return Reuse(config.picture, config.sound, round(config.at_most_s * 1e9))
