import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.onset import find_onset
from edge_daemon.features.spectrogram import LogMel, log_mel
from tools.dataset.recording import hear, room_tone, surrounded
from tools.tiers import AUDIO_FULL, AUDIO_PREFIX

RATE_HZ = 8000


def tone(seconds: float, hz: float = 800.0) -> NDArray[np.float32]:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


def faded(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(samples * np.hanning(len(samples)) ** 0.3, dtype=np.float32)


def noise(seconds: float, level: float, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (level * random.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def recorded(before_s: float, sound: NDArray[np.float32], after_s: float) -> NDArray[np.float32]:
    """A sound in a room that hisses at −40 dB or so."""
    length = round((before_s + after_s) * RATE_HZ) + len(sound)
    samples = noise(length / RATE_HZ, 0.002)[:length]
    start = round(before_s * RATE_HZ)
    samples[start : start + len(sound)] += sound
    return samples


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_main_cut_is_at_the_sound() -> None:
    stream = surrounded(recorded(0.7, tone(0.4), 0.5), random())
    heard = hear(stream, AUDIO_FULL, "onset")
    cut = heard.main()
    assert cut is not None
    assert heard.onsets[cut] == pytest.approx(170, abs=3)  # 1 s of quiet and 0.7 s, in 10 ms
    assert heard.whole[cut]
    assert heard.cuts[cut] - heard.onsets[cut] - 60 in range(8)
    assert heard.tensor(cut)[5:43].max(axis=1).min() > 200
    assert heard.tensor(cut)[50:].max() < 100


def test_a_tensor_is_what_the_daemon_would_compute_at_that_moment() -> None:
    stream = surrounded(recorded(0.3, tone(0.3), 0.3), random())
    heard = hear(stream, AUDIO_FULL, "onset")
    for cut in range(0, len(heard.cuts), 5):
        ring = LogMel(AUDIO_FULL)
        end = (int(heard.cuts[cut]) - 1) * AUDIO_FULL.hop + AUDIO_FULL.window
        for start in range(0, end, 160):
            ring.push(stream[start : min(start + 160, end)])
        tensor, found = audio_tensor(ring.columns(), AUDIO_FULL)
        assert found
        # Sums of another order differ by less than half a step.
        np.testing.assert_allclose(heard.tensor(cut), tensor[0, :, :, 0] * 255, atol=0.51)


def test_the_click_at_the_end_of_a_sound_is_no_sound() -> None:
    """A tone that is broken off: the detector hears a click there, and holds on to it."""
    samples = np.concatenate([noise(1.5, 0.003, 0), tone(0.5), noise(1.5, 0.003, 9)])
    stream = surrounded(samples.astype(np.float32), random())
    assert find_onset(log_mel(stream, AUDIO_FULL)[230:328]) == pytest.approx(297 - 230, abs=3)
    heard = hear(stream, AUDIO_FULL, "onset")
    assert heard.onsets == pytest.approx(250, abs=5)
    assert heard.main() is not None


def test_a_rise_of_the_noise_before_a_sound_is_no_sound() -> None:
    """Though the sound comes soon enough to be in the same tensor."""
    samples = np.concatenate([noise(1.0, 0.002), noise(0.4, 0.015, 1), faded(tone(0.6))])
    stream = surrounded(samples.astype(np.float32), random())
    assert find_onset(log_mel(stream, AUDIO_FULL)[138:236]) == pytest.approx(200 - 138, abs=4)
    heard = hear(stream, AUDIO_FULL, "onset")
    assert heard.onsets == pytest.approx(240, abs=12)


def test_noise_before_a_sound_is_no_sound() -> None:
    """The detector finds onsets in noise; none of them is taken for the recording's."""
    for seed in range(4):
        samples = np.concatenate(
            [noise(1.5, 0.003, seed), faded(tone(0.5)), noise(1.5, 0.003, seed + 9)]
        )
        heard = hear(surrounded(samples.astype(np.float32), random()), AUDIO_FULL, "onset")
        assert len(heard.cuts) > 5
        assert (np.abs(heard.onsets - 250) <= 12).all()


def test_of_two_sounds_the_one_with_more_power_is_what_a_recording_is_of() -> None:
    faint = 0.5 * faded(tone(0.3))
    samples = np.concatenate([noise(0.5, 0.002), faint, noise(1.2, 0.002, 1), faded(tone(0.5))])
    heard = hear(surrounded(samples.astype(np.float32), random()), AUDIO_FULL, "onset")
    assert heard.onsets.min() == pytest.approx(150, abs=6)
    cut = heard.main()
    assert cut is not None
    assert heard.onsets[cut] == pytest.approx(300, abs=6)


def test_a_recording_cut_close_to_its_sound_has_an_onset() -> None:
    heard = hear(surrounded(tone(0.3), random()), AUDIO_FULL, "onset")
    cut = heard.main()
    assert cut is not None
    assert heard.onsets[cut] == pytest.approx(100, abs=3)


def test_a_clip_begins_where_it_begins() -> None:
    heard = hear(surrounded(recorded(0.2, tone(0.4), 0.2), random()), AUDIO_FULL, "clip")
    assert heard.onsets.tolist() == [100]
    cut = heard.main()
    assert cut == 0
    tensor = heard.tensor(cut)
    assert tensor[:22].max() < 100 < 200 < tensor[30:60].max(axis=1).min()


def test_silence_has_no_moment() -> None:
    heard = hear(surrounded(np.zeros(8000, np.float32), random()), AUDIO_FULL, "onset")
    assert heard.main() is None
    assert heard.draw(0.5, random()) is None
    assert not heard.tensor(None).any()
    assert heard.tensor(None).shape == (64, 40)


def test_partly_heard_sounds_go_on_and_others_do_not() -> None:
    heard = hear(surrounded(recorded(0.5, tone(0.9), 0.3), random()), AUDIO_FULL, "onset")
    source = np.random.default_rng(3)
    always = {heard.draw(1.0, source) for _ in range(50)}
    never = {heard.draw(0.0, source) for _ in range(50)}
    assert len(always) > 3
    assert len(never) > 3
    assert not any(heard.whole[cut] for cut in always if cut is not None)
    assert all(heard.whole[cut] for cut in never if cut is not None)
    short = hear(surrounded(recorded(0.5, tone(0.9), 0.3), random()), AUDIO_PREFIX, "onset")
    assert short.whole.sum() > heard.whole.sum()


def test_room_tone_has_the_level_of_the_quietest_part() -> None:
    samples = recorded(0.5, tone(0.4), 0.5)
    quiet = room_tone(samples, 16_000, random())
    assert quiet.dtype == np.float32
    assert len(quiet) == 16_000
    assert np.sqrt(np.mean(quiet**2)) == pytest.approx(0.002, rel=0.25)
    # Nowhere does it fade or repeat itself as a loop would.
    levels = np.sqrt(np.mean(quiet.reshape(-1, 800) ** 2, axis=1))
    assert levels.min() > 0.5 * levels.max()
    spectrum = np.abs(np.fft.rfft(quiet * np.hanning(len(quiet)))) ** 2
    assert spectrum.max() < 40 * spectrum.mean()


def test_an_even_sound_is_surrounded_by_something_20_db_quieter() -> None:
    sound = tone(0.5)
    quiet = room_tone(sound, 8000, random())
    ratio = np.mean(sound**2) / np.mean(quiet**2)
    assert 10 * np.log10(ratio) == pytest.approx(20, abs=1.5)


@pytest.mark.parametrize("count", [1, 2, 7, 399, 400, 401])
def test_recordings_of_any_length_can_be_heard(count: int) -> None:
    samples = np.full(count, 0.1, dtype=np.float32)
    stream = surrounded(samples, random())
    assert len(stream) == count + 16_000
    assert np.isfinite(stream).all()
    hear(stream, AUDIO_FULL, "onset")
