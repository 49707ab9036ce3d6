"""Whether to trust a gaze: from what the headset says of the lids and of the error it expects."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_OPENNESS = 0.8
"""A reading with less is one of a closing eye: measured at psog.device.messages.OPENNESS_BORDER."""

MOST_EXPECTED_DEG = 5.0
"""Of an error expected; a weak value. docs/confidence.md has what other borders keep and leave out."""


@dataclass(frozen=True)
class Trust:
    """What a gaze has to fulfil to be used.

    Attributes:
        least_openness: of the lids, 0 closed, 1 open.
        most_expected_deg: how far off the gaze may be expected to be.
    """

    least_openness: float = LEAST_OPENNESS
    most_expected_deg: float = MOST_EXPECTED_DEG

    def __call__(self, openness: float, expected_error_deg: float) -> bool:
        """Whether to use a gaze of which this is said; never when one of them is not a number."""
        return openness >= self.least_openness and expected_error_deg <= self.most_expected_deg
