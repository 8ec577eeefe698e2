from .encoder import Encoder

class JpegEncoder(Encoder):
    def __init__(
        self,
        width_px: int,
        lines: int,
        channels: int = 1,
        depth: int = 8,
        *,
        dpi: float = 0,
        quality: int = 90,
        halves_color: bool = True,
    ) -> None: ...
