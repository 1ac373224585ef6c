import numpy as np
import pytest

from tests.tools.dataset.sources import SPEAKERS, SPLITS, write_wav
from tools.dataset.folders import DatasetError, Folders
from tools.dataset.noise import read_noise
from tools.dataset.words import read_words


def test_splits_go_by_index(folders: Folders) -> None:
    counts = {split: len(read_words(folders, split)) for split in SPLITS}
    assert counts == {"train": 40, "validation": 100, "test": 100}
    assert len(read_words(folders, "validation_last")) == 100


def test_splits_share_no_recording(folders: Folders) -> None:
    clips = [{word.clip for word in read_words(folders, split)} for split in SPLITS]
    assert len(set.union(*clips)) == sum(map(len, clips)) == 240


def test_the_label_is_that_of_the_name(folders: Folders) -> None:
    for word in read_words(folders, "test"):
        spectrum = np.abs(np.fft.rfft(word.samples * np.hanning(len(word.samples))))
        loudest_hz = spectrum.argmax() * 8000 / len(word.samples)
        speaker = SPEAKERS.index(word.speaker)
        assert loudest_hz == pytest.approx(
            200 * (1 + 0.25 * word.label) * (1 + 0.1 * speaker), abs=6
        )


def test_a_held_out_speaker_is_all_of_test_and_nothing_else(folders: Folders) -> None:
    assert {word.speaker for word in read_words(folders, "test", "ben")} == {"ben"}
    assert len(read_words(folders, "test", "ben")) == 120
    for split in ("train", "validation"):
        assert {word.speaker for word in read_words(folders, split, "ben")} == {"anna"}


def test_an_unknown_speaker_is_refused(folders: Folders) -> None:
    with pytest.raises(DatasetError, match=r"no speaker 'carl'; there are \['anna', 'ben'\]"):
        read_words(folders, "train", "carl")


def test_a_missing_recording_is_named(own_folders: Folders) -> None:
    (own_folders.fsdd / "3_anna_7.wav").unlink()
    with pytest.raises(DatasetError, match=r"3_anna_7.wav: missing, .*put there"):
        read_words(own_folders, "train")


def test_an_empty_folder_is_named(own_folders: Folders) -> None:
    for path in own_folders.fsdd.iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match="no wav files; put there"):
        read_words(own_folders, "train")


def test_a_file_of_another_name_is_refused(own_folders: Folders) -> None:
    (own_folders.fsdd / "ten_anna_0.wav").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"ten_anna_0.wav: not named digit_speaker_index"):
        read_words(own_folders, "train")


def test_a_damaged_recording_is_named(own_folders: Folders) -> None:
    (own_folders.fsdd / "3_anna_1.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(DatasetError, match=r"3_anna_1.wav: cannot be read"):
        read_words(own_folders, "test")


def test_another_rate_is_refused_with_the_remedy(own_folders: Folders) -> None:
    write_wav(own_folders.fsdd / "3_anna_1.wav", np.zeros(100), rate_hz=16000)
    with pytest.raises(DatasetError, match=r"16000 Hz; 1 channel, 16 bit, 8000 Hz .*sox"):
        read_words(own_folders, "test")


def test_noise_splits_go_by_fold_and_source(folders: Folders) -> None:
    splits = {split: read_noise(folders, split) for split in SPLITS}
    # 4 sources a class in fold 4; of the 12 of folds 1–3, the 4th and the 10th are validation.
    assert {split: len(clips) for split, clips in splits.items()} == {
        "train": 20,
        "validation": 4,
        "test": 8,
    }
    sounds = [clip.tobytes() for clips in splits.values() for clip in clips]
    assert len(set(sounds)) == len(sounds)


def test_takes_of_one_source_stay_together(own_folders: Folders) -> None:
    before = len(read_noise(own_folders, "validation"))
    validation = read_noise(own_folders, "validation")[0].tobytes()
    twin = next(
        path
        for path in sorted(own_folders.noise.iterdir())
        if (np.frombuffer(path.read_bytes()[44:], "<i2") / np.float32(32768)).tobytes()
        == validation
    )
    twin.with_name(twin.name.replace("-A_", "-B_")).write_bytes(twin.read_bytes())
    assert len(read_noise(own_folders, "validation")) == before + 1


def test_a_fold_without_noise_is_named(own_folders: Folders) -> None:
    for path in own_folders.noise.glob("4-*"):
        path.unlink()
    with pytest.raises(DatasetError, match="no noise for test; folds 1–4 are needed"):
        read_noise(own_folders, "test")
