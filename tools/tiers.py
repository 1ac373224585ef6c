"""What each tier takes in: the specs that its network, its data and its manifest entry share."""

from msgspec.structs import replace

from edge_daemon.features.spec import AudioSpec, ImageSpec
from edge_daemon.tier import Tier

IMAGE_28 = ImageSpec(height=28, width=28)
IMAGE_14 = ImageSpec(height=14, width=14)

AUDIO_FULL = AudioSpec(
    sample_rate_hz=8000,
    window=256,
    hop=80,
    bands=40,
    low_hz=60.0,
    high_hz=3800.0,
    band_slice=(0, 40),
    stride=1,
    columns=64,
    lead=4,
    span_ms=1000,
    range_db=(-60.0, 0.0),
)
AUDIO_PREFIX = replace(AUDIO_FULL, columns=40)

IMAGE_SPECS: dict[Tier, ImageSpec] = {
    Tier.CRITICAL: IMAGE_14,
    Tier.LOW: IMAGE_28,
    Tier.MEDIUM: IMAGE_28,
    Tier.HIGH: IMAGE_28,
}
AUDIO_SPECS: dict[Tier, AudioSpec | None] = {
    Tier.CRITICAL: None,
    Tier.LOW: None,
    Tier.MEDIUM: AUDIO_PREFIX,
    Tier.HIGH: AUDIO_FULL,
}

LABELS = tuple("0123456789")
