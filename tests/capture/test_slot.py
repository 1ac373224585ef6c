import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.capture.slot import FrameSlot
from edge_daemon.capture.source import Frame

IMAGE = np.zeros((2, 2), dtype=np.uint8)


@given(st.lists(st.booleans(), max_size=60))
def test_matches_a_list_of_frames(puts: list[bool]) -> None:
    slot = FrameSlot()
    frames: list[tuple[Frame, bool]] = []  # every frame with whether it was looked at
    for put in puts:
        if put:
            frames.append((Frame(IMAGE, len(frames)), False))
            slot.put(frames[-1][0])
        else:
            newest = slot.newest()
            assert newest is (frames[-1][0] if frames else None)
            if frames:
                frames[-1] = (frames[-1][0], True)
        assert slot.count == len(frames)
        assert slot.dropped == sum(not seen for _, seen in frames[:-1])


def test_two_threads_lose_no_count() -> None:
    slot = FrameSlot()

    def put_many() -> None:
        for index in range(5000):
            slot.put(Frame(IMAGE, index))

    threads = [threading.Thread(target=put_many) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slot.count == 10_000
    assert slot.dropped == 9_999
