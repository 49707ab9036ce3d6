"""The same scene by path tracing with Mitsuba 3: what the fast simulator is held against."""
