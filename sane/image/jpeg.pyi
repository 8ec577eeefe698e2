from .encoder import Encoder

class Decoder:
    width: int
    height: int
    channels: int
    def __init__(self, limit: int, want: int = 0) -> None: ...
    @property
    def warnings(self) -> int: ...
    @property
    def is_done(self) -> bool: ...
    def feed(self, data: bytes | memoryview) -> None: ...
    def end(self) -> None: ...
    def prepare(self) -> bool: ...
    def read_into(self, view: memoryview) -> int: ...

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
    ) -> None: ...
