"""config.yaml as frozen, typed values; everything that is wrong with it is named with its line."""

from edge_daemon.config.change import Change, apply_live, diff
from edge_daemon.config.keys import Config
from edge_daemon.config.load import ConfigError, find_config, load_config, parse_config, resolve

__all__ = [
    "Change",
    "Config",
    "ConfigError",
    "apply_live",
    "diff",
    "find_config",
    "load_config",
    "parse_config",
    "resolve",
]
