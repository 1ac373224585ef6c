"""The least that running a model takes: set the tensors, invoke, get the scores."""

from collections.abc import Callable
from importlib import import_module

import numpy as np

from edge_daemon.inference.interpreter import runtime_version


def bare_loop(model: bytes) -> Callable[[], object]:
    """Return a function that runs a model once, on tensors filled with random values.

    It talks to the runtime itself, without signature names, checks or quantisation.
    """
    package = runtime_version().partition(" ")[0].replace("-", "_")
    native = import_module(f"{package}.interpreter").Interpreter(model_content=model, num_threads=1)
    native.allocate_tensors()
    rng = np.random.default_rng(1)
    inputs = [
        (detail["index"], rng.integers(-128, 128, detail["shape"]).astype(detail["dtype"]))
        for detail in native.get_input_details()
    ]
    output = native.get_output_details()[0]["index"]

    def once() -> object:
        for index, tensor in inputs:
            native.set_tensor(index, tensor)
        native.invoke()
        return native.get_tensor(output)

    return once
