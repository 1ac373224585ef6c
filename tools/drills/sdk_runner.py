"""Stands in for the runner that the Edge Impulse SDK talks to: a model behind a socket.

    python -m tools.drills.sdk_runner MODEL LABELS SOCKET

It answers `hello` and `classify` as the SDK expects: JSON objects over a Unix socket, answers end
with a zero byte. Pictures come as grey values, each repeated in three bytes of a number.
"""

import argparse
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

SIDE_PX = 28


def main() -> None:
    """Serve one client until it hangs up."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("labels", help="one character each")
    parser.add_argument("socket")
    arguments = parser.parse_args()
    interpreter = Interpreter(model_path=str(arguments.model))
    interpreter.allocate_tensors()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(arguments.socket)
        listener.listen(1)
        client, _ = listener.accept()
        with client:
            for message in messages(client):
                answer = {"id": message["id"], "success": True}
                if "hello" in message:
                    answer["model_parameters"] = {
                        "image_input_width": SIDE_PX,
                        "image_input_height": SIDE_PX,
                        "image_channel_count": 1,
                        "labels": list(arguments.labels),
                    }
                else:
                    scores = classify(interpreter, np.array(message["classify"], dtype=np.uint32))
                    answer["result"] = {
                        "classification": dict(zip(arguments.labels, scores, strict=True))
                    }
                client.sendall(json.dumps(answer).encode() + b"\0")


def messages(client: socket.socket) -> Iterator[dict[str, Any]]:
    """Yield what the client says; nothing marks where an object ends but that it is whole."""
    said = b""
    while piece := client.recv(65536):
        said += piece
        try:
            message = json.loads(said)
        except ValueError:
            continue
        said = b""
        yield message


def classify(interpreter: Interpreter, packed: NDArray[np.uint32]) -> list[float]:
    """Return the scores of a picture: grey values, uint32 [784], the lowest byte of each."""
    grey = (255 - (packed & 255)).astype(np.float32).reshape(1, SIDE_PX, SIDE_PX, 1)
    detail = interpreter.get_input_details()[0]
    scale, zero_point = detail["quantization"]
    picture = np.round(grey / np.float32(255) / scale + zero_point).clip(-128, 127)
    interpreter.set_tensor(detail["index"], picture.astype(np.int8))
    interpreter.invoke()
    scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    return [float(score) for score in scores]


if __name__ == "__main__":
    main()
