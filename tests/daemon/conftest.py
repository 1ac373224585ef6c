import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "journal.schema.json"


@pytest.fixture(scope="session")
def valid() -> Callable[[list[dict[str, Any]]], None]:
    """Return what asserts that lines follow the published schema."""
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

    def check(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            validator.validate(line)

    return check
