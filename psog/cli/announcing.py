"""Has other commands find a headset that this one plays."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.device.running import Running


@contextlib.contextmanager
def announced(found: Running) -> Iterator[None]:
    """Other commands find it as long as it runs; where they cannot, it runs all the same."""
    from rich.console import Console

    from psog.device import running
    from psog.errors import LinkError

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(running.announced(running.runtime_folder(os.environ), found))
        except LinkError as error:
            Console(stderr=True).print(f"{error}; name its port to other commands", highlight=False)
        yield
