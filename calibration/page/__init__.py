"""The page of psog-calibrate."""
