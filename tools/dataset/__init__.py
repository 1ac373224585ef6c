"""AV-MNIST: MNIST pictures and spoken digits of the same label, under four protocols.

    from tools.dataset import Folders, load, pair

    folders = Folders(mnist=Path(...), fsdd=Path(...), noise=Path(...))
    train = load("live", "train", folders, seed=0)          # made once, then read from runs/cache
    train.pictures.images28   # uint8 [N, 28, 28]: the tensor · 255, bright digit on black
    train.pictures.images14   # uint8 [N, 14, 14]: of the same photographs, for tier critical
    train.pictures.labels     # uint8 [N]
    train.sounds.columns      # uint8 [M, 64, 40]: the tensor of AUDIO_FULL · 255
    train.sounds.labels       # int8 [M]; -1: no word (noise only)
    train.sounds.clips        # int32 [M]: which recording, for a bootstrap by clip; -1: none
    train.sounds.found        # bool [M]: whether the onset detector found a sound; else all 0
    train.pairs               # int64 [N]: the sound of each picture, frozen by the seed
    for epoch in range(epochs):
        pairs = pair(train.pictures.labels, train.sounds.labels, seed=(1, epoch))
        # picture i goes with sound pairs[i] of the same label, drawn anew

A picture and a sound are independent given the label, so they are kept as two pools and a
pairing. The input of the partial audio (fewer columns) is a prefix: `columns[:, :40]`.
A missing modality is all zeros; the trainer puts it there.

Protocols: `clean` (whole MNIST pictures, clean words), `published` (6 principal components, words
at −5 dB), `hard` (4 components, −5 dB), `live` (photographs of digits on paper, speech in rooms
at −8 to 15 dB; words that are only partly heard; noise without a word).

Splits: `train` (the first 55,000 pictures less `validation`), `validation` (5,000 of the first
55,000, stratified), `validation_last` (the last 5,000 of the train file, as published; easier
than test), `test`. Train of `live` has three photographs of each picture, drawn digits among
them, and synthetic voices among the words. Words: index 0–4 test, 5–9 validation, the
rest train (a speaker held out: all of it is test); ESC-10: fold 4 test, folds 1–3 train but for
every sixth source, which is validation. Everything is fitted on train.
"""

from tools.dataset.folders import DatasetError, Folders
from tools.dataset.load import Dataset, load
from tools.dataset.pairing import pair
from tools.dataset.pictures import Pictures, load_pictures
from tools.dataset.protocol import PROTOCOLS, Protocol, ProtocolName, Split
from tools.dataset.sounds import Sounds, load_sounds

__all__ = [
    "PROTOCOLS",
    "Dataset",
    "DatasetError",
    "Folders",
    "Pictures",
    "Protocol",
    "ProtocolName",
    "Sounds",
    "Split",
    "load",
    "load_pictures",
    "load_sounds",
    "pair",
]
