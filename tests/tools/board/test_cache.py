from pathlib import Path

import pytest

from tools.board.cache import Cache, default_directory, fingerprint


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", lambda _: None)


def text(contents: str) -> "Builder":
    return Builder(contents)


class Builder:
    """Fills a part with one file, and counts how often."""

    def __init__(self, contents: str) -> None:
        self.contents, self.runs = contents, 0

    def __call__(self, directory: Path) -> None:
        self.runs += 1
        (directory / "file").write_text(self.contents, encoding="utf-8")


def test_a_part_is_built_once(cache: Cache) -> None:
    builder = text("one")
    first, second = (cache.part("disk", "key", builder) for _ in range(2))
    assert first == second
    assert (first / "file").read_text(encoding="utf-8") == "one"
    assert builder.runs == 1


def test_another_key_replaces_the_part_and_no_other(cache: Cache) -> None:
    cache.part("disk-cover", "key", text("of another name"))
    old = cache.part("disk", "old", text("old"))
    new = cache.part("disk", "new", text("new"))
    assert not old.exists()
    assert cache.newest("disk") == new.resolve()
    assert cache.newest("disk-cover") is not None


def test_a_part_that_could_not_be_built_is_begun_anew(cache: Cache) -> None:
    def fail(directory: Path) -> None:
        (directory / "half").touch()
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        cache.part("disk", "key", fail)
    assert cache.newest("disk") is None
    part = cache.part("disk", "key", text("whole"))
    assert [path.name for path in part.iterdir()] == ["file"]


def test_the_old_part_stays_while_the_new_one_cannot_be_built(cache: Cache) -> None:
    def fail(_: Path) -> None:
        raise OSError("no space")

    old = cache.part("disk", "old", text("old"))
    with pytest.raises(OSError, match="no space"):
        cache.part("disk", "new", fail)
    assert cache.newest("disk") == old.resolve()


def test_a_fingerprint_is_of_contents_and_names(tmp_path: Path) -> None:
    file = tmp_path / "tree/below/file"
    file.parent.mkdir(parents=True)
    seen = set()
    for change in (
        lambda: file.write_bytes(b"a"),
        lambda: file.write_bytes(b"b"),
        lambda: file.rename(file.with_name("other")),
        lambda: (tmp_path / "tree/another").touch(),
    ):
        change()
        seen.add(fingerprint("recipe", tmp_path / "tree"))
    assert len(seen) == 4
    assert fingerprint("recipe", tmp_path / "tree") in seen


def test_a_fingerprint_keeps_its_inputs_apart() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc") != fingerprint("a", "b", "c")


def test_it_is_kept_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_directory({}) == Path("/home/someone/.cache/edge-daemon-board")
    assert default_directory({"XDG_CACHE_HOME": "/big"}) == Path("/big/edge-daemon-board")
