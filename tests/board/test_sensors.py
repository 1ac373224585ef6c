"""Heat and charge through the kernel's own classes: down in time, up again after."""

import pytest

from tests.board.board import Board

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_heat_drives_it_down_and_coolness_brings_it_back(board: Board) -> None:
    mark = board.mark()
    board.sensors(temperature_mc=75_500)  # medium ends 6 degrees below the limit of 80
    down = board.wait_for_tier("low", after=mark)
    assert (down["resource"], down["binding"]["quantity"]) == ("temperature", "thermal_distance")
    assert down["reading"]["temperature_c"] == 75.5
    board.wait_for("prediction", lambda line: line["tier"] == "low", after=down["seq"])

    board.sensors(temperature_mc=79_000)  # and low 3 degrees below
    bottom = board.wait_for_tier("critical", after=down["seq"])
    board.wait_for("prediction", lambda line: line["tier"] == "critical", after=bottom["seq"])

    board.sensors(temperature_mc=45_000)
    tiers = [board.wait_for_tier(tier, after=bottom["seq"]) for tier in ("low", "medium", "high")]
    assert [line["from"] for line in tiers] == ["critical", "low", "medium"]


def test_a_zone_that_cannot_be_read_is_bad_news_until_it_can(board: Board) -> None:
    mark = board.mark()
    board.sensors(temperature_errno=5)
    down = board.wait_for_tier("low", after=mark)
    assert down["resource"] == "temperature"
    assert "Input/output error" in down["reading"]["failed"]["temperature"]
    board.sensors(temperature_errno=0)
    board.wait_for_tier("high", after=down["seq"])


def test_a_battery_that_drains_drives_it_down_and_the_mains_bring_it_back(board: Board) -> None:
    mark = board.mark()
    board.sensors(mains=0)
    on_battery = board.wait_for(
        "reading", lambda line: line["reading"]["on_mains"] is False, after=mark
    )
    assert on_battery["tier"] == "high"
    for charge, tier in ((38, "medium"), (18, "low"), (9, "critical")):
        board.sensors(charge_percent=charge)
        down = board.wait_for_tier(tier, after=mark)
        assert down["resource"] == "battery"
        assert down["reading"]["battery_fraction"] == charge / 100
    board.sensors(mains=1)
    board.wait_for_tier("high", after=down["seq"])
