"""Files that hang, and what they cost."""

from pathlib import Path

from edge_daemon.governor.slow import MOST_HUNG
from tests.governor.apart import BATTERY, TEMP, Board, board_of, open_below, readers
from tests.governor.driver import Driver, wait_for
from tests.governor.sysroot import write


def test_a_file_that_hangs_is_all_that_is_lost(pi: Board, driver: Driver, tmp_path: Path) -> None:
    pi.reading()
    hang = driver.hang("zone2/temp")
    pi.reading(hang)
    write(tmp_path, {TEMP.format(1): "53500\n", BATTERY: "70\n"})
    pi.pass_s(10.0)  # the battery is asked every few seconds only
    reading = pi.reading()
    assert reading.temperature_c == 53.5
    assert reading.battery_fraction == 0.7
    assert list(reading.failed) == ["temperature"]
    assert "zone2: " in reading.failed["temperature"]
    assert "thermal_zone2/temp has not answered for 11 s" in reading.failed["temperature"]
    assert reading.failed_s == {"temperature": 12.1}  # since just before the first reading
    assert readers() == 2


def test_the_last_value_of_a_file_that_hangs_counts_for_five_seconds(
    pi: Board, driver: Driver
) -> None:
    pi.reading()
    pi.reading(driver.hang("zone2/temp"))
    values = [pi.reading().temperature_c for _ in range(6)]
    assert values == [52.0, 52.0, 52.0, 52.0, 51.0, 51.0]


def test_a_file_that_answers_at_last_is_taken_back_and_its_thread_ends(
    pi: Board, driver: Driver
) -> None:
    pi.reading()
    pi.reading(driver.hang("zone2/temp"))
    pi.reading()
    pi.reading()
    assert readers() == 2
    driver.heal()
    wait_for(lambda: readers() == 1)
    resting = pi.reading()
    assert "took 2 s to answer and is asked again in 9 s" in resting.failed["temperature"]
    for _ in range(9):
        assert pi.reading().temperature_c in (52.0, 51.0)
    back = pi.reading()
    assert back.temperature_c == 52.0
    assert back.failed == {}


def test_what_a_given_up_thread_read_at_last_counts_for_nothing(pi: Board, driver: Driver) -> None:
    hang = driver.hang("zone2/temp")
    driver.answer("zone2/temp", b"149000")
    pi.reading(hang)
    assert pi.reading().temperature_c == 51.0
    hang.end()
    wait_for(lambda: readers() == 1)
    for _ in range(5):
        assert pi.reading().temperature_c == 51.0


def test_a_file_that_hangs_again_costs_one_thread_again(pi: Board, driver: Driver) -> None:
    pi.reading()
    for _ in range(3):
        hang = driver.hang("zone0/temp")
        pi.reading(hang)
        assert pi.reading().temperature_c == 52.0
        assert readers() == 2
        driver.heal()
        wait_for(lambda: readers() == 1)
        pi.pass_s(10.0)
        pi.reading()
        assert pi.reading().failed == {}


def test_files_that_hang_one_after_the_other_cost_a_thread_each(pi: Board, driver: Driver) -> None:
    pi.reading()
    hangs = [driver.hang(f"zone{number}/temp") for number in (0, 1)]
    pi.reading(hangs[0])
    pi.reading(hangs[1])
    reading = pi.reading()
    assert reading.temperature_c == 52.0
    assert readers() == 3
    assert reading.failed["temperature"].count("has not answered for") == 2


def test_threads_that_hang_are_bounded(tmp_path: Path, driver: Driver) -> None:
    pi = Board(board_of(tmp_path, zones=MOST_HUNG + 4))
    pi.reading()
    hangs = [driver.hang(f"zone{number}/temp") for number in range(MOST_HUNG + 4)]
    for hang in hangs[: MOST_HUNG + 1]:
        pi.reading(hang)
    assert readers() == MOST_HUNG + 1
    for _ in range(20):
        reading = pi.reading(hangs[MOST_HUNG])
    assert readers() == MOST_HUNG + 1
    assert reading.temperature_c is None
    assert reading.battery_fraction is None
    assert f"thermal_zone{MOST_HUNG}/temp has not answered for 20 s" in reading.failed["battery"]
    driver.heal()
    wait_for(lambda: readers() == 1)
    wait_for(pi.settles)
    pi.pass_s(10.0)
    pi.reading()
    assert pi.reading().failed == {}
    pi.probes.close()


def test_a_battery_that_hangs_leaves_the_heat_alone(pi: Board, driver: Driver) -> None:
    pi.reading()
    pi.pass_s(10.0)
    hang = driver.hang("BAT0/capacity")
    pi.reading(hang)
    reading = pi.reading()
    assert reading.temperature_c == 52.0
    assert list(reading.failed) == ["battery"]
    assert "BAT0/capacity has not answered for 1 s" in reading.failed["battery"]


def test_a_file_may_hang_as_it_is_opened_and_nothing_stays_open(
    pi: Board, driver: Driver, tmp_path: Path
) -> None:
    hang = driver.hang("zone2/temp", opening=True)
    pi.reading(hang)
    assert pi.reading().temperature_c == 51.0
    driver.heal()
    wait_for(lambda: readers() == 1)
    pi.pass_s(60.0)  # a zone that never spoke is asked again at the next scan
    pi.reading()
    assert pi.reading().temperature_c == 52.0
    pi.probes.close()
    assert open_below(tmp_path) == 0


def test_the_search_for_sensors_may_hang(pi: Board, driver: Driver) -> None:
    hang = driver.hang("zone1/type")
    pi.reading(hang)
    reading = pi.reading()
    assert reading.temperature_c == 52.0
    assert reading.battery_fraction == 0.8
    assert reading.failed == {}  # of zone1 nothing is known at all
    assert readers() == 2


def test_a_search_that_hung_is_begun_again(pi: Board, driver: Driver) -> None:
    pi.reading()
    pi.probes.ignore_zones(("zone2",))
    pi.reading(driver.hang("zone0/type"))
    assert pi.reading().temperature_c == 51.0


def test_what_hangs_as_it_is_opened_while_it_is_looked_for_again_does_not_stay_open(
    pi: Board, driver: Driver, tmp_path: Path
) -> None:
    pi.reading(driver.hang("BAT0/capacity", opening=True))
    for _ in range(8):
        assert list(pi.reading().failed) == ["battery"]
    driver.heal()
    wait_for(lambda: readers() == 1)
    pi.probes.close()
    assert open_below(tmp_path) == 0


def test_a_slow_sensor_is_no_sensor_that_hangs(pi: Board, driver: Driver) -> None:
    pi.reading()
    hang = driver.hang("zone2/temp")
    pi.reading(hang)  # 0.1 s
    pi.pass_s(0.5)
    pi.probes.prepare()
    assert readers() == 1
    driver.heal()
    wait_for(pi.rests)
    assert pi.reading().failed == {}


def test_a_sensor_that_does_not_answer_has_failed_even_while_nobody_may_replace_its_reader(
    pi: Board, driver: Driver
) -> None:
    pi.reading()
    pi.reading(driver.hang("zone0/temp"))
    pi.pass_s(2.9)
    assert pi.probes.read().failed == {}
    pi.probes._prepared = True
    pi.pass_s(0.2)
    reading = pi.probes.read()
    assert set(reading.failed) == {"temperature", "battery"}


def test_an_old_value_of_a_sensor_that_fails_does_not_count_for_longer_by_a_hang(
    pi: Board, driver: Driver, tmp_path: Path
) -> None:
    pi.reading()
    write(tmp_path, {TEMP.format(2): "0"})
    assert pi.reading().temperature_c == 52.0
    pi.reading(driver.hang("zone1/temp"))
    pi.probes._prepared = True  # nobody looks for what hangs
    pi.pass_s(2.95)
    assert pi.probes.read().temperature_c is None
