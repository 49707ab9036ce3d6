"""Device images (`gaze.psog`, docs/SPEC.md): write, read, and get one from what a user names."""

from psog.firmware_export.image_file import headset_name, load_image
from psog.firmware_export.image_format import ModelImage
from psog.firmware_export.image_reader import read_image
from psog.firmware_export.image_writer import write_image

__all__ = ["ModelImage", "headset_name", "load_image", "read_image", "write_image"]
