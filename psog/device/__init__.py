"""Talking to a headset: frames, messages, the client."""
