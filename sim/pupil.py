"""How the pupil varies about a user's mean diameter."""

POSE_SD_MM = 0.4
"""From one stretch of wear to the next: light and arousal; a weak value."""
MOMENT_SD_MM = 0.15
"""Within a stretch: hippus; a weak value."""
UNREST_TIME_S = 1.0
"""Hippus is slow: most of it lies below 0.5 Hz (r)."""
