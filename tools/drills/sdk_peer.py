"""The Edge Impulse SDK's own loop over a camera, and a line of JSON an answer.

    python -m tools.drills.sdk_peer CAMERA RUNNER FILE

The SDK (`edge_impulse_linux`, installed without its dependencies) reads the camera, cuts the
picture and talks to a runner, a program that holds the model. The real one is proprietary;
`sdk_runner` stands in for it. What the camera's loop does about faults is the SDK's alone.
"""

import argparse
import importlib
import json
import queue
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "edge_impulse_linux"


def main() -> None:
    """Classify until something fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("camera", help="index, path or URL")
    parser.add_argument("runner", type=Path, help="a program that holds the model")
    parser.add_argument("file", type=Path, help="where answers go")
    arguments = parser.parse_args()
    with (
        image_module().ImageImpulseRunner(str(arguments.runner)) as runner,
        arguments.file.open("a", buffering=1) as file,
    ):
        runner.init()
        for response, _ in runner.classifier(arguments.camera):
            scores = response["result"]["classification"]
            answer = {
                "time": datetime.now(UTC).isoformat(),
                "mono_ns": time.monotonic_ns(),
                "event": "prediction",
                "label": max(scores, key=scores.__getitem__),
                "image": True,
                "audio": False,
            }
            file.write(json.dumps(answer) + "\n")


def image_module() -> Any:
    """Import the SDK's part for cameras; its part for microphones needs PyAudio, and is not used.

    Raises:
        ModuleNotFoundError: the SDK is not installed.
    """
    moves = ModuleType("six.moves")
    vars(moves)["queue"] = queue
    for name, module in (("pyaudio", ModuleType("pyaudio")), ("six.moves", moves)):
        sys.modules.setdefault(name, module)
    return importlib.import_module(f"{PACKAGE}.image")


if __name__ == "__main__":
    main()
