"""Prepares the next tier's pipeline beside the running one, and disposes of the one before."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.listening import Listener
from edge_daemon.inference.memory import release_free_memory, require_headroom
from edge_daemon.inference.pipeline import Pipeline, load_pipeline
from edge_daemon.tier import Tier

NS_PER_S = 1_000_000_000
WAIT_S = 0.25
"""How long the worker sleeps at most before it looks at its stop event."""

HEADROOM_BYTES = 16 << 20
"""What must be allocatable before a load is tried: many times what a student takes."""

Order = TypeVar("Order")
"""Whatever came with the request, handed through to the loop."""

OnFault = Callable[[Tier, str], None]


@dataclass(frozen=True, slots=True)
class Prepared(Generic[Order]):
    """A pipeline that is ready to be adopted.

    Attributes:
        tier: of the pipeline.
        pipeline: loaded and warm.
        order: what came with the request.
        prepare_ms: time to load and warm it; 0 for the resident one.
    """

    tier: Tier
    pipeline: Pipeline
    order: Order
    prepare_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class _Request(Generic[Order]):
    tier: Tier
    order: Order
    asked_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class _Attempt:
    """A preparation under way."""

    tier: Tier
    since_ns: int


@dataclass(slots=True)
class _Backoff:
    failures: int = 0
    until_ns: int = 0


class Swapper(Generic[Order]):
    """Make before break: what runs goes on running until its successor is warm.

    The governor calls `request`, the loop `take` and `give_back`, and a worker `run` (in lockstep
    the loop's own thread calls `step` instead). The lock is held for a few assignments only,
    never while a model is loaded or freed.

    `critical` is loaded here, stays until `close`, and is handed out without being prepared: a
    move down to it takes no memory and cannot fail. Of several requests the newest counts; what
    was being prepared for an older one is thrown away unseen. A load that fails leaves what runs
    alone, is reported, and is tried again after `retry_first_s`, twice that, and so on up to
    `retry_max_s`, for as long as the tier is still wanted. One that does not return is given up by
    whoever watches (`give_up`), which counts as a failure; another thread then goes on with `run`.
    What the first brings after all is taken if it is still wanted.

    Args:
        bundle: where the models come from; each is compared with its hash at every load.
        threads: of each interpreter.
        clock: monotonic; for the backoff, and for how long a preparation takes.
        on_fault: told the tier and what went wrong, on the thread that prepares.
        retry_first_s: pause after the first failure of a tier.
        retry_max_s: longest pause.
        timer: measures `prepare_ms`; always real time.

    Attributes:
        resident: the `critical` pipeline, which the loop begins with.

    Raises:
        BundleError: `critical` is missing or has changed.
        InterpreterError: `critical` cannot be loaded.
    """

    def __init__(
        self,
        bundle: Bundle,
        threads: int,
        clock: Clock,
        on_fault: OnFault,
        *,
        retry_first_s: float = 2.0,
        retry_max_s: float = 600.0,
        timer: Clock = monotonic_ns,
    ) -> None:
        self._bundle = bundle
        self._threads = threads
        self._clock = clock
        self._timer = timer
        self._on_fault = on_fault
        self._retry_first_ns = round(retry_first_s * NS_PER_S)
        self._retry_max_ns = round(retry_max_s * NS_PER_S)
        self._changed = threading.Condition()
        self._active = Tier.CRITICAL
        self._wanted: _Request[Order] | None = None
        self._attempt: _Attempt | None = None
        self._ready: Prepared[Order] | None = None
        self._returned: deque[Pipeline] = deque()
        self._backoff: dict[Tier, _Backoff] = {}
        _touch_libraries(bundle)
        self.resident = load_pipeline(bundle, Tier.CRITICAL, threads)

    def request(self, tier: Tier, order: Order) -> None:
        """Ask for a tier; returns at once.

        What was asked for before and not taken yet is given up, unless it is the same tier: then
        the first order stands. Asking for the tier that runs calls everything off.
        """
        with self._changed:
            if self._ready is not None and self._ready.tier is tier:
                return
            if self._wanted is not None and self._wanted.tier is tier:
                return
            self._withdraw()
            if tier is self._active:
                pass
            elif tier is Tier.CRITICAL:
                self._ready = Prepared(tier, self.resident, order, 0.0)
            else:
                self._wanted = _Request(tier, order, self._clock())
            self._changed.notify_all()

    def take(self) -> Prepared[Order] | None:
        """Return the pipeline to adopt now, if one is ready. For the loop, between windows."""
        if self._ready is None:  # nearly always; needs no lock
            return None
        with self._changed:
            prepared, self._ready = self._ready, None
            if prepared is not None:
                self._active = prepared.tier
            return prepared

    def give_back(self, pipeline: Pipeline) -> None:
        """Hand over a pipeline that no longer runs, to be disposed of elsewhere."""
        if pipeline is self.resident:
            return
        with self._changed:
            self._returned.append(pipeline)
            self._changed.notify_all()

    def step(self) -> bool:
        """Dispose of what came back and prepare what is wanted; return whether there was either.

        Raises nothing: what goes wrong is reported through `on_fault`.
        """
        disposed = self._dispose()
        request = self._due()
        if request is None:
            return disposed
        attempt = self._attempt = _Attempt(request.tier, self._clock())
        prepared = self._prepare(request, attempt)
        if prepared is not None:
            with self._changed:
                self._finish(attempt)
                self._backoff.pop(request.tier, None)
                if self._wanted is request:
                    self._wanted, self._ready = None, prepared
                else:
                    self._returned.append(prepared.pipeline)
            self._dispose()
        return True

    def run(self, stop: threading.Event) -> None:
        """Step whenever there is something to do, until told to stop. The worker's body."""
        while not stop.is_set():
            if not self.step():
                with self._changed:
                    if not self._returned and self._due_ns() is None:
                        self._changed.wait(WAIT_S)

    def give_up(self, after_s: float) -> tuple[Tier, float] | None:
        """Back off from a preparation that has gone on, or not been begun, for over `after_s`.

        Reports nothing. What is under way goes on, and whoever is at it does nothing else.

        Returns:
            The tier and how many seconds it will be until it is tried again; None where nothing
            is late.
        """
        if self._attempt is None and self._wanted is None:  # nearly always; needs no lock
            return None
        with self._changed:
            attempt, wanted, due_ns = self._attempt, self._wanted, self._due_ns()
            if attempt is not None:
                tier, since_ns = attempt.tier, attempt.since_ns
            elif wanted is not None and due_ns is not None:
                tier, since_ns = wanted.tier, due_ns
            else:
                return None
            if self._clock() - since_ns <= after_s * NS_PER_S:
                return None
            self._attempt = None
            return tier, self._back_off(tier)

    def model_file(self, tier: Tier) -> Path:
        """Return where a tier's model should lie, without a look at the disk."""
        return self._bundle.path / self._bundle.tiers[tier].file

    def close(self) -> None:
        """Free everything, the resident pipeline too. After loop and worker have ended."""
        with self._changed:
            self._withdraw()
        self._dispose()
        self.resident.close()

    def _withdraw(self) -> None:
        """Give up what is wanted and what is ready. With the lock held."""
        self._wanted = None
        if self._ready is not None and self._ready.pipeline is not self.resident:
            self._returned.append(self._ready.pipeline)
        self._ready = None

    def _due(self) -> _Request[Order] | None:
        with self._changed:
            return None if self._due_ns() is None else self._wanted

    def _due_ns(self) -> int | None:
        """Since when something is wanted that is not backed off from. With the lock held."""
        if self._wanted is None:
            return None
        backoff = self._backoff.get(self._wanted.tier)
        if backoff is None:
            return self._wanted.asked_ns
        due_ns = max(self._wanted.asked_ns, backoff.until_ns)
        return due_ns if self._clock() >= due_ns else None

    def _prepare(self, request: _Request[Order], attempt: _Attempt) -> Prepared[Order] | None:
        started_ns = self._timer()
        try:
            require_headroom(HEADROOM_BYTES)
            pipeline = load_pipeline(self._bundle, request.tier, self._threads)
        except Exception as error:
            with self._changed:
                given_up = not self._finish(attempt)
                pause_s = 0.0 if given_up else self._back_off(request.tier)
            release_free_memory()
            if not given_up:  # else it has been reported
                self._on_fault(
                    request.tier,
                    f"{request.tier} could not be loaded, tried again in {pause_s:g} s: "
                    f"{str(error) or repr(error)}",
                )
            return None
        prepare_ms = (self._timer() - started_ns) / 1e6
        return Prepared(request.tier, pipeline, request.order, prepare_ms)

    def _finish(self, attempt: _Attempt) -> bool:
        """Note that an attempt is over; return whether nobody gave it up. With the lock held."""
        ours = self._attempt is attempt
        if ours:
            self._attempt = None
        return ours

    def _back_off(self, tier: Tier) -> float:
        """Note a failure and return the pause in seconds. With the lock held."""
        backoff = self._backoff.setdefault(tier, _Backoff())
        # 2^30 first pauses are beyond any longest pause; the exponent need not grow on.
        doubled = self._retry_first_ns << min(backoff.failures, 30)
        pause_ns = min(self._retry_max_ns, doubled)
        backoff.failures += 1
        backoff.until_ns = self._clock() + pause_ns
        return pause_ns / NS_PER_S

    def _dispose(self) -> bool:
        """Free the pipelines that were handed back; return whether there were any."""
        disposed = False
        while (pipeline := self._next_returned()) is not None:
            pipeline.close()
            disposed = True
        if disposed:
            release_free_memory()
        return disposed

    def _next_returned(self) -> Pipeline | None:
        with self._changed:
            return self._returned.popleft() if self._returned else None


def _touch_libraries(bundle: Bundle) -> None:
    """Load what the spectrogram needs while there is memory.

    OpenBLAS reserves its work space at the first product, and ends the process if it cannot.
    """
    for spec in bundle.tiers.values():
        if spec.inputs.audio is not None:
            Listener(spec.inputs.audio).warm()
            return
