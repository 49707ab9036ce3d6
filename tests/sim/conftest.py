"""A recording that nobody disturbed, for the tests that disturb its making."""

import pytest

from psog.sim.pool import LocalPool
from psog.sim.production import produce
from tests.sim.pair import digests, pair_config


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """sha256 of every file of `pair_config`'s recording, made by one worker without a stop."""
    folder = tmp_path_factory.mktemp("undisturbed")
    produce(pair_config(folder), folder / "made", LocalPool(1))
    return digests(folder / "made")
