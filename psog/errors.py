"""The errors psog raises: one base class, caught once by the command line."""


class PsogError(Exception):
    """What was done, what was found, what was expected and what to do next, in one line."""


class HeadsetError(PsogError):
    """A headset file is missing, malformed or impossible."""


class PartError(HeadsetError):
    """A photodiode or emitter is unknown, or its file is missing, malformed or impossible."""


class SafetyError(HeadsetError):
    """A headset would shine more light into the eye than is safe."""


class RecordingError(PsogError):
    """A recording or gaze trace cannot be read, or does not fit the headset."""


class ShapeError(PsogError):
    """Arrays that belong together differ in shape."""


class SimulationError(PsogError):
    """The simulator was asked for something impossible."""


class ModelError(PsogError):
    """A model directory is missing, malformed or made for something else."""


class ModelImageError(ModelError):
    """A device image (.psog) is damaged or made for another headset."""


class LinkError(PsogError):
    """The serial link to the headset failed: no port, busy port, unplugged, or silent."""


class ProtocolError(LinkError):
    """The other end speaks another protocol version, or sent what the protocol does not allow."""


class DeviceError(PsogError):
    """The headset refused a command."""


class CalibrationError(PsogError):
    """A calibration could not be completed; the headset keeps the previous one."""


class ProfileError(PsogError):
    """A user's profile is missing, damaged, cannot be named so, or belongs to another headset or model."""


class SigningKeyError(PsogError):
    """A key that signs models is missing, malformed, or would be written over."""


class ToolchainError(PsogError):
    """A compiler or emulator that a firmware board needs is missing or failed."""


class SearchError(PsogError):
    """A search over networks cannot begin or go on, or found none."""


class WebError(PsogError):
    """A page cannot be served: its port or address is not to be had."""


class ProbeError(PsogError):
    """A debug probe, or the debug port behind it, is missing, silent, or did not do what was asked."""


class OutputError(PsogError):
    """Live gaze cannot be sent where it should go."""


class MissingExtraError(PsogError):
    """An optional package is needed."""

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(f"{what} needs the package {package!r}: pip install 'psog[{extra}]'")
