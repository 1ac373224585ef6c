"""Whether an absent modality is without a say: what a model makes of all-zero inputs."""

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.interpreter import Interpreter


def silent_confidence(interpreter: Interpreter) -> float:
    """Return the highest probability where every input is absent; 1 / labels is ideal."""
    inputs = {name: np.zeros(info.shape, np.float32) for name, info in interpreter.inputs.items()}
    return float(softmax(interpreter.run(inputs)["logits"]).max())


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities [N, labels] of logits [N, labels]."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = raised / raised.sum(axis=1, keepdims=True)
    return probabilities
