"""Window → features → tensors → model → probabilities: the same class for all four tiers."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.source import Frame
from edge_daemon.features.image import ImageFeatures
from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.gate import Gate, Reuse
from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.inference.listening import Listener
from edge_daemon.inference.manifest import TierSpec
from edge_daemon.inference.scores import Scores as Scores
from edge_daemon.tier import Tier
from edge_daemon.window import Window

_WARM_PX = 96


class PipelineError(Exception):
    """A model gave something that is no scores; the text says which."""


class Pipeline:
    """One tier, loaded. Owned by one thread at a time.

    An input that a window does not have goes into the model as zeros, which the models were
    trained for.

    Args:
        tier: which one.
        spec: its entry in the manifest.
        labels: what the outputs stand for.
        interpreter: of its model; closed with the pipeline.
    """

    def __init__(
        self, tier: Tier, spec: TierSpec, labels: Sequence[str], interpreter: Interpreter
    ) -> None:
        self.tier = tier
        self._interpreter = interpreter
        self._labels = tuple(labels)
        self._gives_logits = spec.output == "logits"
        image, audio = spec.inputs.image, spec.inputs.audio
        self._image = ImageFeatures(image)
        self._no_image = np.zeros((1, image.height, image.width, 1), np.float32)
        self._listener = None if audio is None else Listener(audio)
        self._tensors = {"image": self._no_image}
        if audio is not None:
            self._no_audio = np.zeros((1, audio.columns, audio.kept_bands, 1), np.float32)
            self._tensors["audio"] = self._no_audio
        (self._output,) = interpreter.outputs
        self._gate = Gate()
        self._newest = np.zeros(len(self._labels), np.float32)

    @property
    def listens(self) -> bool:
        """Whether sound is an input."""
        return self._listener is not None

    @property
    def delegated(self) -> bool:
        """Whether XNNPACK runs the model."""
        return self._interpreter.delegated

    def run(self, window: Window, reuse: Reuse | None = None) -> Scores:
        """Classify a window, or find that it shows and sounds like one that was.

        Args:
            window: its sound is read from the ring, from where the last window ended.
            reuse: how little counts as nothing new; None computes everything.

        Returns:
            Probabilities, and which inputs they rest on.

        Raises:
            InterpreterError: the model failed.
            PipelineError: the model gave NaN.
        """
        self._gate.use(reuse)
        try:
            return self._run(window)
        except BaseException:
            self._gate.forget()
            raise

    def forget(self) -> None:
        """Have the next window computed whatever it shows, as after time in which none was run."""
        self._gate.forget()

    def warm(self) -> None:
        """Run once over a drawing and over silence: memory is touched, libraries are loaded."""
        paper = np.full((_WARM_PX, _WARM_PX), 200, np.uint8)
        paper[_WARM_PX // 4 : -_WARM_PX // 4, _WARM_PX // 2 : _WARM_PX // 2 + 6] = 20
        if self._listener is not None:
            self._listener.warm()
        self.run(Window(0, 0, Frame(paper, 0)))

    def close(self) -> None:
        """Free the model; safe to call twice."""
        self._gate.forget()
        self._interpreter.close()

    def _run(self, window: Window) -> Scores:
        frame, now_ns = window.frame, window.cut_ns
        kept_picture = self._gate.same_picture(None if frame is None else frame.image, now_ns)
        if not kept_picture:
            self._tensors["image"] = self._no_image if frame is None else self._image(frame.image)
        sound = self._hear(window)
        reused = self._gate.same_scores(sound, now_ns)
        if not reused:
            if self._listener is not None:
                self._tensors["audio"] = self._no_audio if sound is None else sound
            self._newest = self._probabilities()
        audible = window.audio if sound is not None else None
        return Scores(
            probabilities=self._newest,
            image_used=frame is not None,
            audio_used=sound is not None,
            image_ns=None if frame is None else frame.captured_ns,
            audio_ns=None if audible is None else audible.captured_ns(window.audio_end - 1),
            reused=reused,
            kept_picture=kept_picture,
        )

    def _hear(self, window: Window) -> NDArray[np.float32] | None:
        """Return the tensor of the newest sound; None where there is none, or nobody listens."""
        if self._listener is None or window.audio is None:
            return None
        sound, heard = self._listener.listen(window.audio, window.audio_end)
        return sound if heard else None

    def _probabilities(self) -> NDArray[np.float32]:
        """Run the model on the tensors; float32 [labels]."""
        output = self._interpreter.run(self._tensors)[self._output][0]
        probabilities = softmax(output) if self._gives_logits else normalised(output)
        if not math.isfinite(np.add.reduce(probabilities)):  # NaN and infinity survive a sum
            raise PipelineError(f"the {self.tier} model gave {output.tolist()}")
        return probabilities


def load_pipeline(bundle: Bundle, tier: Tier, threads: int = 1) -> Pipeline:
    """Read a tier's model, compare its hash, load it and warm it.

    The model is loaded from memory. That takes as much as mapping the file (measured: 0.6 to
    1.1 MiB a tier, to 0.05 MiB the same), what runs is what was hashed, and a file that is cut
    short later cannot kill the process.

    Raises:
        BundleError: the file is missing or has changed since the bundle was loaded.
        InterpreterError: it cannot be loaded.
    """
    model = bundle.read_model(tier)
    interpreter = Interpreter(model, threads, name=str(bundle.model_path(tier)))
    try:
        pipeline = Pipeline(tier, bundle.tiers[tier], bundle.labels, interpreter)
        pipeline.warm()
    except BaseException:
        interpreter.close()
        raise
    return pipeline


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return exp(logits) over their sum, float32 [labels]; the largest is subtracted first."""
    powers: NDArray[np.float32] = np.exp(logits - logits.max())
    powers /= powers.sum()
    return powers


def normalised(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return quantised probabilities, float32 [labels], clipped at 0 and summing to 1 again.

    Where all are 0 there is no evidence for any, and all become equal.
    """
    positive = np.maximum(probabilities, np.float32(0.0))
    total = positive.sum()
    if total <= 0.0:
        return np.full_like(positive, 1.0 / len(positive))
    positive /= total
    return positive
