"""From a user's own files to a daemon that knows them: taught, distilled, converted, replayed."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from edge_daemon.inference.bundle import Bundle, check_models, load_bundle
from edge_daemon.journal.reader import read
from edge_daemon.tier import TIERS, Tier
from tools.compression.budgets import Budgets
from tools.convert import convert
from tools.dataset.folder import Folder
from tools.distil import Rounds, Run, distil, starting_shape
from tools.lesson import lesson
from tools.make_replay import main as make_replay
from tools.make_shapes import LABELS, write_shapes
from tools.sources import Sources
from tools.tasks import TASKS
from tools.teach import teach

METHOD = "ra_cmkd"
PATIENCE_S = 120


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def csv(here: Path) -> Path:
    return write_shapes(here / "shapes", each=20)


@pytest.fixture(scope="module")
def bundle(here: Path, csv: Path) -> Bundle:
    """Trained for a few hundred steps, as the commands would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)  # where the cache goes
        sources = Sources(None, own=Folder(csv, contrast="ink", samples=900))
        task = TASKS["own"]
        assert teach(task, sources, here / "run", smoke=True) is not None
        run = Run(
            METHOD,
            lambda bands: lesson(task, sources, here / "run", bands),
            Rounds(total=6, steps=25, batch=48),
            0,
            here / "run" / METHOD,
            Budgets(),
        )
        students = distil(run, starting_shape(METHOD, run.lesson.labels))
        datasets = [sources.load("own", "train", students.shape.bands)]
        return convert(students.cpu().eval(), datasets, here / "mine", "mine", "1.0.0")


def edge_daemon(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_daemon", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_bundle_says_what_the_files_are(bundle: Bundle) -> None:
    loaded = load_bundle(bundle.path)
    assert loaded.labels == LABELS
    assert set(check_models(loaded)) == set(TIERS)
    for tier, spec in loaded.tiers.items():
        assert (spec.inputs.image.contrast, spec.inputs.image.fit) == ("ink", "ink")
        assert spec.inputs.image.height == (14 if tier is Tier.CRITICAL else 28)


@pytest.mark.parametrize("tier", TIERS)
def test_the_daemon_knows_files_that_were_set_aside(
    tier: Tier, bundle: Bundle, csv: Path, tmp_path: Path
) -> None:
    arguments = ["--csv", str(csv), "--bundle", str(bundle.path), str(tmp_path / "replay")]
    assert make_replay(arguments) == 0
    config = tmp_path / "replay" / "config.yaml"
    checked = edge_daemon("check", "--config", config)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "mine 1.0.0, 4 models" in checked.stdout
    done = edge_daemon("run", "--config", config, "--tier", tier, "--journal", tmp_path / "journal")
    assert done.returncode == 0, done.stderr
    answers: dict[object, Counter[object]] = {label: Counter() for label in LABELS}
    for fields in (line.fields for line in read(tmp_path / "journal")):
        if fields["event"] == "prediction" and fields["truth"] and fields["tier"] == tier:
            answers[fields["truth"]][fields["label"]] += 1
    for label, given in answers.items():
        assert given.total() > 20
        assert given[label] > 0.6 * given.total(), answers
