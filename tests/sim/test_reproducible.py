"""The same seed gives the same bytes, whether the kernels were compiled just now or came from the cache."""

import os
import subprocess
import sys

SIMULATE = """
import hashlib
from psog.headset import load_headset
from psog.sim.episodes import make_episodes

episodes = make_episodes(load_headset("ring16"), users=20, samples=16, seed=3)
print(hashlib.sha256(episodes.readings.tobytes()).hexdigest())
"""


def test_kernels_compiled_now_and_kernels_from_the_cache_give_the_same_bytes(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    digests = []
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", SIMULATE], env=environment, capture_output=True, text=True, timeout=200
        )
        assert run.returncode == 0, run.stderr
        digests.append(run.stdout)
    assert len(list(tmp_path.rglob("*.so"))) == 1, "the second process had no cache to take kernels from"
    assert digests[0] == digests[1]
