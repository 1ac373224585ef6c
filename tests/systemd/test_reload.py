"""`systemctl reload`: a good file, a bad one, a storm of them."""

import pytest

from tests.daemon.running import STANDSTILL_S, longest_gap_s
from tests.systemd.service import CONFIG, UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_a_good_file_is_put_in_force_and_what_needs_a_restart_is_named(service: Service) -> None:
    service.start()
    service.wait_for("prediction")
    pid = service.pid
    service.configure(prediction={"threshold": 0.9}, tier="low", capture={"stall_s": 5.0})
    service.systemctl("reload", UNIT)
    reload = service.wait_for("reload")
    assert sorted(reload["applied"]) == ["prediction.threshold", "tier"]
    assert (reload["restart"], reload["error"]) == (["capture.stall_s"], None)
    service.wait_for("prediction", after=reload["seq"], tier="low")
    assert (service.show("ActiveState"), service.pid) == ("active", pid)


def test_a_wrong_file_leaves_it_running(service: Service) -> None:
    service.start()
    service.wait_for("prediction")
    pid = service.pid
    service.guest.write(CONFIG, f"{service.guest.read(CONFIG)}\nvidoe: {{}}\n")
    service.systemctl("reload", UNIT)
    reload = service.wait_for("reload")
    assert CONFIG in reload["error"]
    service.wait_for("prediction", after=reload["seq"])
    assert (service.show("ActiveState"), service.pid) == ("active", pid)


def test_a_storm_of_reloads_loses_nothing(service: Service) -> None:
    service.start()
    service.wait_for("prediction")
    pid = service.pid
    service.configure(prediction={"threshold": 0.7})
    storm = f"for _ in $(seq 60); do systemctl reload {UNIT} || exit 1; done"
    assert service.guest.run("sh", "-c", storm).returncode == 0
    service.configure(prediction={"threshold": 0.8})
    service.systemctl("reload", UNIT)
    first = service.wait_for("reload", applied=["prediction.threshold"])
    last = service.wait_for("reload", applied=["prediction.threshold"], after=first["seq"])
    service.wait_for("prediction", after=last["seq"])
    assert (service.pid, service.show("NRestarts")) == (pid, "0")
    service.systemctl("stop", UNIT)
    predictions = service.lines("prediction")
    windows = [line["window"] for line in predictions]
    assert windows == list(range(windows[0], windows[0] + len(windows)))
    stop = service.lines("stop")[-1]
    assert stop["windows"] == len(windows)
    assert stop["late_max_s"] <= STANDSTILL_S
    assert longest_gap_s(predictions) <= STANDSTILL_S
