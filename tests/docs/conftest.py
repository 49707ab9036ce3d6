"""The furnished folder, made once."""

from pathlib import Path

import pytest

from tests.docs.world import furnish


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished")
    furnish(folder)
    return folder
