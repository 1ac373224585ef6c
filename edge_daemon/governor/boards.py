"""What is known of each board and cannot be read from it: where its firmware slows it, and how far.

Sources: for the Raspberry Pi "Frequency management and thermal control" and "Overclocking options
in config.txt" (raspberrypi.com/documentation/computers); for the Jetson each module's thermal
design guide and "Platform Power and Performance" of the Jetson Linux Developer Guide
(docs.nvidia.com/jetson). What they do not say is marked as assumed.
"""

import re
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.governor.kernelfile import text_of


class BoardLimits(Struct, frozen=True):
    """One board, or family of boards.

    Attributes:
        name: for people.
        limit_c: where the firmware or the driver begins to slow the board, for zones whose trip
            points do not show it; None where nothing is known.
        soft_limit_c: where it gives up its highest clock, long before it has to.
        soft_share: the clock from the soft limit on, as a share of the full one.
        slowed: the lowest clock of a board that is slowed, as a share of the full one.
        ignored_zones: types of thermal zones that say nothing of the heat of the chip.
        power_rails: names of the power rails that together carry what the board draws; () where no
            sensor tells.
        under_voltage_counters: over-current counters that count drops of the supply instead.
    """

    name: str
    limit_c: float | None = None
    soft_limit_c: float | None = None
    soft_share: float = 1.0
    slowed: float = 0.6  # assumed
    ignored_zones: frozenset[str] = frozenset()
    power_rails: tuple[str, ...] = ()
    under_voltage_counters: frozenset[str] = frozenset()


GENERIC = BoardLimits("generic board")
"""Of which nothing is known."""

# The firmware of every Pi takes the clock back step by step from 80 °C on, and that of the GPU as
# well from 85 °C on; `temp_limit` in config.txt can lower the latter. The device tree's one trip
# point is critical, 110 °C on the newer ones. `slowed` is arm_freq_min over arm_freq.
_PI = BoardLimits("Raspberry Pi", limit_c=80.0, slowed=0.6)
# The soft limit costs a seventh of the clock and is reached by an idle board in a warm room: it is
# no limit of a tier. It can be raised to 70 °C with `temp_soft_limit`.
_PI_3_PLUS = replace(_PI, soft_limit_c=60.0, soft_share=1200 / 1400, slowed=600 / 1400)

# The PMIC's zone says 100 °C for ever, the fan's is a mean of the others, and Tboard is the circuit
# board. With NVIDIA's kernels most zones of the chip have passive trips; these limits are for the
# rest.
_NOT_THE_CHIP = frozenset({"PMIC-Die", "Tboard_tegra", "thermal-fan-est"})
_JETSON = BoardLimits("NVIDIA Jetson", ignored_zones=_NOT_THE_CHIP, slowed=0.5)  # share assumed
# cv0 to cv2 are the engines for vision: mostly off, and reading them then can hang
# (prometheus/node_exporter#3071).
_ORIN = replace(
    _JETSON,
    limit_c=99.0,
    ignored_zones=_NOT_THE_CHIP | {f"cv{n}-thermal" for n in range(3)},
    under_voltage_counters=frozenset({"oc1"}),
)

_BOARDS: tuple[tuple[str, BoardLimits], ...] = (
    (r"Pi (3 Model [AB]|Compute Module 3) ?(\+|Plus)", replace(_PI_3_PLUS, name="Raspberry Pi 3+")),
    (r"Pi (3|Compute Module 3)\b", replace(_PI, name="Raspberry Pi 3", slowed=600 / 1200)),
    # Later Pi 4 and the 400 run at 1.8 GHz: the higher full clock is the careful one to assume.
    (
        r"Pi (4|400|Compute Module 4S?)\b",
        replace(_PI, name="Raspberry Pi 4", slowed=600 / 1800),
    ),
    (
        r"Pi (5|500|Compute Module 5)\b",
        replace(_PI, name="Raspberry Pi 5", slowed=1500 / 2400),
    ),
    (r"Pi Zero 2\b", replace(_PI, name="Raspberry Pi Zero 2", slowed=600 / 1000)),
    (r"Pi Zero\b", replace(_PI, name="Raspberry Pi Zero", slowed=700 / 1000)),
    (r"Raspberry Pi\b", _PI),
    (
        r"AGX Orin|Orin AGX",
        replace(
            _ORIN,
            name="Jetson AGX Orin",
            power_rails=("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
        ),
    ),
    (r"\bOrin\b", replace(_ORIN, name="Jetson Orin", power_rails=("VDD_IN",))),
    # Both Xaviers' limits are assumed: their kernels show trip points of 82 to 91.5 °C, by part.
    (
        r"Xavier NX",
        replace(_JETSON, name="Jetson Xavier NX", limit_c=90.0, power_rails=("VDD_IN",)),
    ),
    (
        r"Xavier|Jetson-AGX",
        replace(
            _JETSON,
            name="Jetson AGX Xavier",
            limit_c=86.0,
            power_rails=("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"),
        ),
    ),
    # NVIDIA's kernels call the boards quill and lightning.
    (
        r"Jetson TX2|\bquill\b|\blightning\b",
        replace(_JETSON, name="Jetson TX2", limit_c=95.5, power_rails=("VDD_IN",)),
    ),
    (
        r"Jetson Nano",
        replace(_JETSON, name="Jetson Nano", limit_c=97.0, power_rails=("POM_5V_IN",)),
    ),
    (r"Jetson", _JETSON),
)


def board_model(root: Path) -> str | None:
    """Return the board's model as the device tree or the firmware (DMI) says it.

    Args:
        root: the filesystem root.
    """
    for name in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        if model := text_of(root / name):
            return model
    return text_of(root / "sys/class/dmi/id/product_name")


def board_limits(model: str | None) -> BoardLimits:
    """Return what is known of a board.

    Args:
        model: as `board_model` returns it.
    """
    for pattern, limits in _BOARDS:
        if model is not None and re.search(pattern, model):
            return limits
    return GENERIC
