"""What all tests of the tools share."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny networks only lose by more: on a busy machine the threads wait for each other."""
    torch.set_num_threads(1)
