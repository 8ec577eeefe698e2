class Blocks:
    done: int
    partial: int
    is_asked: bool
    tail: int
    outcome: str
    def __init__(
        self,
        transfers: object,
        addresses: tuple[int, int],
        sizes: tuple[int, int, int],
        acknowledgement: bytes,
        masks: tuple[int, int],
        limits: tuple[float, int],
    ) -> None: ...
    def capsule(self) -> object: ...
    def take(self, view: memoryview) -> tuple[int, int]: ...
