"""psog: photosensor oculography, from simulated eyes to gaze on a microcontroller."""

__version__ = "0.1.0"
