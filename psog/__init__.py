"""psog: photosensor oculography, from simulated eyes to gaze on a microcontroller.

import psog

with psog.connect() as headset:
    for sample in headset.gaze():
        print(sample.gaze_h_deg, sample.gaze_v_deg)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psog.live.connect import connect as connect
    from psog.live.connect_async import connect_async as connect_async

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "connect_async"]


def __getattr__(name: str) -> Any:
    """What opens a headset, imported when it is first asked for: `import psog` stays light."""
    if name == "connect":
        from psog.live.connect import connect

        return connect
    if name == "connect_async":
        from psog.live.connect_async import connect_async

        return connect_async
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
