"""Parts: photodiodes and emitters, and how much of the light they take or give in each direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lobe:
    """Angular response of a part over its response on axis: cosⁿ, or a table that is read linearly.

    Attributes:
        exponent: n of cosⁿ θ; None where there is a table.
        angles_deg: rising from 0, at most 90; empty where there is an exponent.
        relative: at those angles, 1 on axis; beyond the last angle the response is 0.
    """

    exponent: float | None
    angles_deg: tuple[float, ...] = ()
    relative: tuple[float, ...] = ()

    def at(self, cosine: NDArray[np.floating]) -> NDArray[np.float64]:
        """Response at directions whose cosine with the aim is `cosine` (any shape); 0 behind the part."""
        cosine = np.asarray(cosine, dtype=np.float64)
        if self.exponent is not None:
            return np.asarray(np.where(cosine > 0, np.clip(cosine, 0, 1) ** self.exponent, 0.0))
        angle = np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
        return np.asarray(np.interp(angle, self.angles_deg, self.relative, right=0.0))
