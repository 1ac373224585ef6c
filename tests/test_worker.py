import threading
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
