import threading
from collections.abc import Callable
from pathlib import Path

from edge_daemon.worker import Worker, stop_workers


def test_a_worker_ends_when_told_to() -> None:
    entered = threading.Event()

    def body(stop: threading.Event) -> None:
        entered.set()
        stop.wait()

    worker = Worker("waits", body)
    worker.start()
    assert entered.wait(5)
    assert worker.alive
    assert worker.stop(5)
    assert not worker.alive


def test_the_kernel_knows_its_name() -> None:
    names: list[str] = []

    def body(stop: threading.Event) -> None:
        names.append(Path("/proc/thread-self/comm").read_text())

    worker = Worker("waits", body)
    worker.start()
    assert worker.stop(5)
    assert names == ["waits\n"]


def test_an_escaped_exception_is_handed_over_with_the_name() -> None:
    heard: list[tuple[str, Exception]] = []
    told = threading.Event()

    def on_error(name: str, error: Exception) -> None:
        heard.append((name, error))
        told.set()

    def body(stop: threading.Event) -> None:
        raise ValueError("broken")

    worker = Worker("breaks", body, on_error=on_error)
    worker.start()
    assert told.wait(5)
    assert worker.stop(5)
    assert [(name, str(error)) for name, error in heard] == [("breaks", "broken")]


def test_a_stuck_worker_is_given_up_after_the_timeout() -> None:
    release = threading.Event()
    worker = Worker("stuck", lambda stop: void(release.wait()))
    worker.start()
    assert not worker.stop(0.01)
    release.set()
    assert worker.stop(5)


def test_a_stuck_thread_is_left_behind_and_a_fresh_one_goes_on() -> None:
    release, entered = threading.Event(), threading.Semaphore(0)
    told: list[bool] = []

    def body(stop: threading.Event) -> None:
        entered.release()
        release.wait()
        told.append(stop.is_set())
        stop.wait()

    worker = Worker("stuck", body)
    worker.start()
    assert entered.acquire(timeout=5)
    assert worker.left_behind == 0
    assert worker.replace()
    assert entered.acquire(timeout=5), "the fresh one runs the same body"
    assert worker.left_behind == 1
    assert worker.alive
    assert not worker.stop(0.01), "neither has ended"
    release.set()
    assert worker.stop(5)
    assert told == [True, True]
    assert worker.left_behind == 0


def test_a_worker_has_not_stopped_while_one_is_left_behind() -> None:
    release, entered = threading.Event(), threading.Semaphore(0)
    bodies: list[Callable[[], None]] = [lambda: None, lambda: void(release.wait())]

    def body(stop: threading.Event) -> None:
        mine = bodies.pop()
        entered.release()
        mine()

    worker = Worker("stuck", body)
    worker.start()
    assert entered.acquire(timeout=5)
    assert worker.replace()
    assert entered.acquire(timeout=5)
    assert not worker.stop(0.05), "the fresh one has ended, the other has not"
    release.set()
    assert worker.stop(5)


def test_the_fresh_thread_is_not_told_to_stop_with_the_old_one() -> None:
    events: list[threading.Event] = []
    entered = threading.Semaphore(0)

    def body(stop: threading.Event) -> None:
        events.append(stop)
        entered.release()
        stop.wait()

    worker = Worker("waits", body)
    worker.start()
    assert entered.acquire(timeout=5)
    assert worker.replace()
    assert entered.acquire(timeout=5)
    assert [event.is_set() for event in events] == [True, False]
    assert worker.stop(5)


def test_stopping_a_worker_that_never_started_is_harmless() -> None:
    assert Worker("idle", lambda stop: void(stop.wait())).stop(0.01)


def test_several_workers_share_one_deadline() -> None:
    release = threading.Event()
    workers = [
        Worker("stuck", lambda stop: void(release.wait())),
        Worker("ends", lambda stop: void(stop.wait())),
        Worker("stuck too", lambda stop: void(release.wait())),
    ]
    for worker in workers:
        worker.start()
    assert stop_workers(workers, 0.02) == ["stuck", "stuck too"]
    release.set()
    assert stop_workers(workers, 5) == []


def void(_: object) -> None:
    """Drop a value where a body must return none."""
