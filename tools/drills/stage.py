"""Where one drill runs: a folder, and the program to put into it."""

import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tools.drills.needs import SkipError
from tools.drills.program import Kind, Program

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "models" / "avdigits"

LABELS = "0123456789"

PERIOD_S = 0.05
"""Time from one window to the next."""

CAMERA_HZ = 30.0
"""Pictures a second: more than windows, so that each window finds a new one."""

Sections = Mapping[str, Any]

DEFAULTS: dict[str, dict[str, Any]] = {
    "window": {"period_ms": round(PERIOD_S * 1000)},
    "capture": {"stall_s": 1.0, "retry_first_s": 0.1, "retry_max_s": 2.0, "black_s": 2.0},
    "governor": {"reading_every_s": 5.0, "profile": "published"},
}
"""What every drill changes in the config: faults of a few seconds are to be seen in seconds."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of one drill.

    Attributes:
        drill: its name.
        kind: which program is drilled.
        folder: an empty directory.
        rounds: how often a drill repeats what is worth repeating.
    """

    drill: str
    kind: Kind
    folder: Path
    rounds: int = 200

    @property
    def journal(self) -> Path:
        """The usual place for the journal."""
        return self.folder / "journal"

    @property
    def config(self) -> Path:
        """The daemon's config file."""
        return self.folder / "config.yaml"

    def start(
        self,
        camera: str,
        *,
        audio: Literal["none", "synthetic", "microphone"] = "none",
        tier: str = "high",
        journal: Path | None = None,
        bundle: Path = BUNDLE,
        sections: Sections | None = None,
        arguments: Sequence[str] = (),
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Program:
        """Start the program on a camera, and wait until it answers.

        Args:
            camera: its URL.
            audio: what the daemon hears; the script has a microphone or nothing, the SDK's loop
                over a camera nothing.
            tier: the daemon's; pinned, so that the machine's load does not matter, or `auto`.
            journal: the directory of the file; None for the usual one.
            bundle: the models.
            sections: sections of the config, each over that of `DEFAULTS`.
            arguments: further ones of `edge-daemon run`.
            prefix: what the command line begins with.
            environ: further variables.

        Raises:
            SkipError: the SDK was to hear.
            StartError: it gave no answers.
        """
        journal = journal or self.journal
        if self.kind == "script":
            model = BUNDLE / ("high.tflite" if audio == "microphone" else "low.tflite")
            module = ["tools.drills.peer", camera, str(model), str(journal / "answers.jsonl")]
            module += ["--microphone"] if audio == "microphone" else []
            program = self._peer(module, journal, prefix, environ)
        elif self.kind == "sdk":
            if audio == "microphone":
                raise SkipError("its loop over a camera hears nothing")
            module = ["tools.drills.sdk_peer", camera, str(self._runner())]
            module += [str(journal / "answers.jsonl")]
            program = self._peer(module, journal, prefix, environ)
        else:
            self.write_config(camera, audio, tier=tier, bundle=bundle, sections=sections)
            program = self.daemon(journal, arguments, prefix=prefix, environ=environ)
        program.settle()
        return program

    def daemon(
        self,
        journal: Path,
        arguments: Sequence[str] = (),
        *,
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Program:
        """Start the daemon on the config that was written, and do not wait for it."""
        command = [sys.executable, "-m", "edge_daemon", "run"]
        command += ["--config", str(self.config), "--journal", str(journal), *arguments]
        return Program(
            "daemon",
            [*prefix, *command],
            journal / "journal.jsonl",
            log=self.folder / "stderr.log",
            period_s=PERIOD_S,
            environ={"PYTHONPATH": str(ROOT), **(environ or {})},
        )

    def write_config(
        self,
        camera: str,
        audio: str,
        *,
        tier: str = "high",
        bundle: Path = BUNDLE,
        sections: Sections | None = None,
    ) -> None:
        """Write the daemon's config; JSON is YAML."""
        config: dict[str, Any] = {
            **DEFAULTS,
            "video": {"source": "camera", "device": camera, "rate_hz": CAMERA_HZ},
            "audio": {"source": audio},
            "tier": tier,
            "bundle": str(bundle),
        }
        for name, section in (sections or {}).items():
            config[name] = {**config.get(name, {}), **section}
        self.config.write_text(json.dumps(config, indent=1), encoding="utf-8")

    def bundle(self) -> Path:
        """Return a copy of the shipped bundle that a drill may damage."""
        return Path(shutil.copytree(BUNDLE, self.folder / "bundle"))

    def _peer(
        self,
        module: Sequence[str],
        journal: Path,
        prefix: Sequence[str],
        environ: Mapping[str, str] | None,
    ) -> Program:
        journal.mkdir(exist_ok=True)
        return Program(
            self.kind,
            [*prefix, sys.executable, "-m", *module],
            journal / "answers.jsonl",
            log=self.folder / "stderr.log",
            period_s=PERIOD_S,
            environ={"PYTHONPATH": str(ROOT), **(environ or {})},
        )

    def _runner(self) -> Path:
        """Write the program that the SDK starts with a socket's path, as its own runners are."""
        runner = self.folder / "runner.eim"
        command = [sys.executable, "-m", "tools.drills.sdk_runner"]
        command += [str(BUNDLE / "low.tflite"), LABELS]
        runner.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$1"\n', encoding="utf-8")
        runner.chmod(0o755)
        return runner
