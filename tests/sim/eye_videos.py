"""Small videos made for tests: a dark disc that moves over a grey gradient."""

from fractions import Fraction

import av
import numpy as np

SIZE_PX = (160, 120)
FPS = 50


def write_video(path, pictures, fps=FPS):
    """Lossless, grey. Pictures: (n, height, width) uint8."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=fps)
        stream.height, stream.width = pictures.shape[1:]
        stream.pix_fmt = "gray"
        stream.time_base = Fraction(1, fps)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="gray")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def disc_pictures(centre_px, radius_px=8):
    """(n, 120, 160) pictures with a disc at (n, 2) places; no disc where they are NaN."""
    x, y = np.meshgrid(np.arange(SIZE_PX[0]), np.arange(SIZE_PX[1]))
    skin = 120 + 60 * np.sin(x / 55) * np.cos(y / 45)
    x_px, y_px = np.asarray(centre_px, np.float32).T[:, :, None, None]
    far = np.hypot(np.float32(x) - x_px, np.float32(y) - y_px)
    cover = np.clip(radius_px + 0.5 - np.nan_to_num(far, nan=1e9), 0, 1)
    return np.rint(skin * (1 - cover) + 12 * cover).astype(np.uint8)
