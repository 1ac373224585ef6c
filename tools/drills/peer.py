"""What one finds under "classify a camera with TFLite": a loop, and a line of JSON an answer.

    python -m tools.drills.peer CAMERA MODEL FILE [--microphone]

The peer of the drills, as such scripts are: OpenCV reads, the interpreter runs, the answer is
appended to a file, and whatever fails ends it. With `--microphone` it takes what PortAudio gives,
blocking, as the examples do. It retries nothing and hides nothing. It is better than many: lines
are written one by one, and what it hears is what the model was trained on.
"""

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.spectrogram import LogMel
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.tier import Tier
from tools.drills.stage import BUNDLE, LABELS, PERIOD_S


def main() -> None:
    """Classify until something fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("camera", help="index, path or URL")
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path, help="where answers go")
    parser.add_argument("--microphone", action="store_true", help="the model listens as well")
    arguments = parser.parse_args()

    interpreter = Interpreter(model_path=str(arguments.model))
    interpreter.allocate_tensors()
    capture = cv2.VideoCapture(arguments.camera)
    microphone = Microphone() if arguments.microphone else None
    with arguments.file.open("a", buffering=1) as file:
        while True:
            ok, frame = capture.read()
            if not ok:
                raise RuntimeError("could not read a frame")
            sound, heard = microphone.listen() if microphone is not None else (None, False)
            scores = classify(interpreter, np.asarray(frame, dtype=np.uint8), sound)
            answer = {
                "time": datetime.now(UTC).isoformat(),
                "mono_ns": time.monotonic_ns(),
                "event": "prediction",
                "label": LABELS[int(scores.argmax())],
                "image": True,
                "audio": heard,
            }
            file.write(json.dumps(answer) + "\n")


def classify(
    interpreter: Interpreter, frame: NDArray[np.uint8], sound: NDArray[np.float32] | None
) -> NDArray[np.int8]:
    """Return the scores of a frame, uint8 [height, width, 3], and of a sound."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    small = 255 - cv2.resize(grey, (28, 28), interpolation=cv2.INTER_AREA)
    picture = small[None, :, :, None].astype(np.float32) / np.float32(255)
    values: dict[str, NDArray[np.float32]] = {"image": picture}
    if sound is not None:
        values["audio"] = sound
    for detail in interpreter.get_input_details():
        scale, zero_point = detail["quantization"]
        quantised = np.round(values[detail["name"]] / scale + zero_point).clip(-128, 127)
        interpreter.set_tensor(detail["index"], quantised.astype(np.int8))
    interpreter.invoke()
    scores: NDArray[np.int8] = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return scores[0]


class Microphone:
    """The default microphone, and the spectrogram of what it heard."""

    def __init__(self) -> None:
        import sounddevice

        spec = load_bundle(BUNDLE).tiers[Tier.HIGH].inputs.audio
        assert spec is not None
        self._spec = spec
        self._log_mel = LogMel(spec)
        self._samples = round(spec.sample_rate_hz * PERIOD_S)
        self._stream = sounddevice.InputStream(spec.sample_rate_hz, channels=1)
        self._stream.start()

    def listen(self) -> tuple[NDArray[np.float32], bool]:
        """Wait for the next samples; return the tensor, and whether there is a sound in it."""
        samples, _overflowed = self._stream.read(self._samples)
        self._log_mel.push(samples[:, 0])
        return audio_tensor(self._log_mel.columns(), self._spec)


if __name__ == "__main__":
    main()
