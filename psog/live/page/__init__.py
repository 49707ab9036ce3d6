"""The page of the live view."""
