"""Live gaze for other programs and people: batches, events, recordings, a page, outputs."""
