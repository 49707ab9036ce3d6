"""Hundreds of model folders that lie are loaded or refused in one line, in little memory."""

import tracemalloc

import pytest

from psog.errors import ModelError
from psog.net.integer import IntegerNet
from psog.net.store import load_model
from tests.hostile.folders import hostile_folders, sound

_MOST_BYTES = 8 << 20  # a weak value: the largest of the files has 0.5 MB, and is read, checked and copied


@pytest.fixture
def place(tmp_path):
    def put(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return tmp_path

    return put


def test_the_folder_that_the_others_are_made_from_is_sound(place):
    assert isinstance(load_model(place(sound())).net, IntegerNet)


def test_a_folder_that_lies_is_refused_in_one_line_and_in_little_memory(place):
    folders = list(hostile_folders())
    refused = 0
    tracemalloc.start()
    try:
        for what, files in folders:
            folder = place(files)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                load_model(folder)
            except ModelError as error:
                refused += 1
                assert str(error) and "\n" not in str(error), what
            assert tracemalloc.get_traced_memory()[1] - before < _MOST_BYTES, what
    finally:
        tracemalloc.stop()
    assert len(folders) >= 500
    # What is accepted is another sound model: a ridge of 1, no user embedding, other words in its origin.
    assert refused > 0.8 * len(folders)
