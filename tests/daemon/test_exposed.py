"""A bundle that others can change: the log tells, and its path drives no terminal."""

import shutil
from pathlib import Path

from tests.daemon.running import running, write_config
from tests.inference.scenes import BARS


def test_the_log_tells_of_a_bundle_that_anybody_may_change(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(BARS, tmp_path / "\x1b[31mbars"))
    bundle.chmod(0o777)
    config = write_config(
        tmp_path / "config.yaml",
        bundle=str(bundle),
        video={"source": "synthetic"},
        audio={"source": "synthetic"},
    )
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("prediction")
        assert daemon.stop() == 0
        log = daemon.log.read_text()
    assert "the bundle is not safe from other users: anybody may write to " in log
    assert r"\x1b[31mbars" in log
    assert "\x1b" not in log
