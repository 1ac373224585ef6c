"""Files that come with the package: the bundle, the configuration, the demonstration."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_models(package: Path = _PACKAGE) -> Path:
    """Return the directory of the shipped bundles: in the package, else in the checkout."""
    return _shipped("models", package)


def shipped_bundle(name: str = "avdigits", package: Path = _PACKAGE) -> Path:
    """Return the directory of a shipped bundle."""
    return shipped_models(package) / name


def shipped_config(package: Path = _PACKAGE) -> Path:
    """Return the commented config.yaml, which states the defaults."""
    return _shipped("config.yaml", package)


def _shipped(name: str, package: Path) -> Path:
    installed = package / name
    return installed if installed.exists() else package.parent / name
