from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.governor.kernelfile import KernelFile
from edge_daemon.governor.zone import Zone
from tests.governor.sysroot import seconds


class Said(KernelFile):
    """A zone's file that says what the test last had it say."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        super().__init__(Path("thermal_zone0/temp"))
        self.text = ""

    def read(self) -> bytes:
        return self.text.encode()


class Case:
    """One zone that is followed once a second."""

    def __init__(self, period_s: float = 1.0) -> None:
        self.file = Said()
        self.zone = Zone("cpu-thermal", self.file, None, None)
        self.period_s = period_s
        self.at_s = 0.0

    def follows(self, *raws: object) -> list[float | None]:
        values = []
        for raw in raws:
            self.file.text = str(raw)
            values.append(self.zone.follow(seconds(self.at_s)))
            self.at_s += self.period_s
        return values


def test_millidegrees() -> None:
    assert Case().follows(48_312, 48_799, -5_000 + 48_312) == [48.312, 48.799, 43.312]


def test_degrees() -> None:
    assert Case().follows(48, 49, 40, -3 + 40) == [48.0, 49.0, 40.0, 37.0]


def test_the_unit_is_decided_once_and_near_0_c_millidegrees_stay_millidegrees() -> None:
    case = Case()
    case.follows(9_000)
    assert case.follows(190, 150, -150) == [0.19, 0.15, -0.15]


def test_garbage_does_not_decide_on_the_unit() -> None:
    case = Case()
    with pytest.raises(ValueError, match="-650788984"):
        case.follows(-650788984)
    assert case.follows(48) == [48.0]
    with pytest.raises(ValueError, match="-650788984"):
        case.follows(-650788984)
    with pytest.raises(ValueError, match="says 5000"):
        case.follows(5000)
    assert case.follows(49) == [49.0]


def test_a_zero_does_not_decide_on_the_unit() -> None:
    case = Case()
    with pytest.raises(ValueError, match="says 0"):
        case.follows(0)
    assert case.follows(48_000) == [48.0]


def test_what_seemed_degrees_is_taken_for_millidegrees_when_it_says_so_three_times() -> None:
    case = Case()
    assert case.follows(100 - 1) == [99.0]  # 0.099 °C, as it turns out
    for _ in range(2):
        with pytest.raises(ValueError, match="says 400"):
            case.follows(400)
    case.at_s = 60.0
    assert case.follows(700, 1_500) == [0.7, 1.5]


@pytest.mark.parametrize("raw", [0, -40_001, 150_001, "", "nan", "48.3", "hot", "48 49", 2**70])
def test_what_is_no_temperature_is_refused(raw: object) -> None:
    case = Case()
    case.follows(50_000)
    with pytest.raises(ValueError, match="thermal_zone0/temp"):
        case.follows(raw)


@pytest.mark.parametrize("raw", [-40_000, 150_000])
def test_the_coldest_and_the_hottest(raw: int) -> None:
    assert Case().follows(raw) == [raw / 1000]


def test_a_part_of_a_number_is_an_outlier() -> None:
    assert Case().follows(51_121, 511, 51_121) == [51.121, 51.121, 51.121]


def test_up_to_15_c_a_second_is_believed_at_once() -> None:
    assert Case().follows(40_000, 55_000, 40_000) == [40.0, 55.0, 40.0]
    assert Case(period_s=4.0).follows(40_000, 99_000) == [40.0, 99.0]


def test_a_single_outlier_is_never_believed() -> None:
    assert Case().follows(50_000, 90_000, 51_000, -20_000, 52_000) == [50.0, 50.0, 51.0, 51.0, 52.0]
    assert Case().follows(50_000, *[90_000, 51_000] * 5)[2:] == [51.0] * 9


def test_a_steep_change_is_believed_at_the_third_reading() -> None:
    assert Case().follows(40_000, 100_500, 100_400, 100_300) == [40.0, 40.0, 40.0, 100.5]
    assert Case(period_s=0.1).follows(40_000, 60_000, 60_000, 60_000) == [40.0, 40.0, 40.0, 60.0]


def test_heat_that_keeps_rising_is_believed_at_the_third_reading_by_the_hottest() -> None:
    case = Case(period_s=0.25)
    assert case.follows(50_000, 70_000, 90_000, 104_000) == [50.0, 50.0, 50.0, 104.0]


def test_outliers_on_both_sides_do_not_confirm_each_other() -> None:
    case = Case(period_s=0.25)
    assert case.follows(50_000, 120_000, 10_000, 120_000, 10_000) == [50.0] * 5


def test_what_jumps_about_for_longer_than_a_value_is_held_has_failed() -> None:
    case = Case(period_s=0.25)
    assert case.follows(70_000, *[149_000, -39_000] * 9)[-1] == 70.0
    case.at_s = 5.2
    with pytest.raises(ValueError, match="149 °C after 70 °C"):
        case.follows(149_000)


def test_a_stuck_sensor_cannot_be_told_from_a_coarse_one_and_is_believed() -> None:
    assert set(Case().follows(*[41_500] * 3600)) == {41.5}


def test_after_a_suspend_another_temperature_is_believed_at_once() -> None:
    case = Case()
    case.follows(85_000)
    case.at_s += 3600.0
    assert case.follows(21_000) == [21.0]


def test_a_clock_that_stands_or_goes_back_makes_nothing_steeper_or_flatter() -> None:
    for step_s in (0.0, -1.0):
        case = Case()
        case.follows(50_000)
        case.at_s -= 1.0 - step_s
        assert case.follows(64_000) == [64.0]


def test_parked_until_it_moves() -> None:
    assert Case().follows(100_000, 100_000, 99_000, 100_000) == [None, None, 99.0, 100.0]
    assert Case().follows(125_000, 125_000) == [None, None]
    assert Case().follows(100_000, 125_000) == [None, 125.0]
    assert Case().follows(100_001) == [100.001]


@given(
    st.lists(st.one_of(st.integers(-60_000, 200_000), st.integers(-(2**40), 2**40)), max_size=40)
)
def test_whatever_it_says_a_value_is_a_temperature(raws: list[int]) -> None:
    case = Case()
    for raw in raws:
        try:
            (value_c,) = case.follows(raw)
        except ValueError:
            case.at_s += 1.0
            continue
        assert value_c is None or -40.0 <= value_c <= 150.0


@given(
    st.lists(st.integers(46_000, 54_000), min_size=1, max_size=20), st.integers(-40_000, 150_000)
)
def test_one_reading_alone_never_moves_it_by_more_than_15_c(raws: list[int], wild: int) -> None:
    case = Case()
    before_c = case.follows(*raws)[-1]
    (value_c,) = case.follows(wild) if wild != 0 else (before_c,)
    assert before_c is not None
    assert value_c is not None
    assert abs(value_c - before_c) <= 15.0
