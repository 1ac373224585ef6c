"""Nothing that a file can hold gets past the loader but a configuration or a ConfigError."""

from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.config import Config, ConfigError, parse_config
from edge_daemon.config.schema import keys, value
from edge_daemon.resources import shipped_config

HERE = Path("/etc/board/config.yaml")
SHIPPED = shipped_config().read_text(encoding="utf-8")


def survives(raw: bytes) -> None:
    """Any bytes give a configuration or a ConfigError that names the file."""
    try:
        config = parse_config(raw, HERE, {"HOME": "/home/pi"})
    except ConfigError as error:
        assert all(line.startswith(str(HERE)) for line in str(error).splitlines())
    else:
        assert isinstance(value(config, "video.rate_hz"), float)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")),
    )
)
def test_any_bytes_are_survived(raw: bytes) -> None:
    survives(raw)


@given(st.text(alphabet="&*!|>'\"%@`{}[],:-? \n\t\\U0x~#<aé", max_size=80))
def test_any_punctuation_is_survived(text: str) -> None:
    survives(text.encode())


@given(st.data())
def test_any_change_of_the_shipped_file_is_survived(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SHIPPED)))
    end = data.draw(st.integers(start, min(start + 40, len(SHIPPED))))
    put = data.draw(st.text(max_size=20))
    survives((SHIPPED[:start] + put + SHIPPED[end:]).encode(errors="surrogatepass"))


@given(
    st.sampled_from([key.name for key in keys(Config())]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
)
def test_any_value_of_any_key_is_survived(name: str, held: object) -> None:
    section, _, key = name.rpartition(".")
    survives(yaml.safe_dump({section: {key: held}}).encode())
