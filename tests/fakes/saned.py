"""A server of the SANE protocol in a thread: well-behaved unless a test says otherwise.

It stands on our wire protocol, so that what a test changes is only what it is about.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from sane.wire import messages as m
from sane.wire import protocol
from sane.wire.codec import ProtocolError
from sane.wire.protocol import frame_end, record_head

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[["FakeSaned", protocol.Server, Any], Any]

LONG = 20.0  # seconds after which a thread of a failed test gives up

COUNT = m.Descriptor("", "Number of options", "", 1, 0, 4, 4, 0, None)
DEPTH = m.Descriptor("depth", "Bit depth", "Bits.", 1, 2, 4, 5, 2, (8, 16))
MODE = m.Descriptor("mode", "Mode", "The mode.", 3, 0, 6, 5, 3, ("Gray", "Color"))
GRAY = m.Parameters(0, True, 4, 4, 2, 8)


class Pause:
    """Where sending a frame stops until the test sets ``release``."""


PAUSE = Pause()


class FakeSaned:
    """One server on *host* and a free port; use it as a context manager.

    devices, descriptors, values, parameters, byte_order, frame: what it has. frame is a list of
    bytes and PAUSE. answers: by request class, what answers instead: a function that returns
    bytes, a list of bytes (each sent on its own; [] is silence), or None to close. log: the
    requests that came. version: what INIT answers. cut: close after so many bytes of replies.
    slowly: one byte at a time, each after so many seconds.
    """

    def __init__(self, host: str = "127.0.0.1", **settings: Any) -> None:
        self.devices = [m.Device("test:0", "Noname", "fake", "virtual device")]
        self.descriptors = [COUNT, DEPTH, MODE]
        self.values: dict[int, bytes] = {
            0: (3).to_bytes(4, "little"),
            1: (8).to_bytes(4, "little"),
            2: b"Gray\0\0",
        }
        self.parameters = GRAY
        self.byte_order = m.LITTLE_ENDIAN
        self.frame: list[bytes | Pause] = [record_head(8) + b"abcdefgh" + frame_end(5)]
        self.answers: dict[type[m.Request], Answer] = {}
        self.version = protocol.ADVERTISED
        self.cut: int | None = None
        self.slowly = 0.0
        self.log: list[m.Request] = []
        for name, value in settings.items():
            assert hasattr(self, name), name
            setattr(self, name, value)
        self.release = threading.Event()
        self.stopping = threading.Event()
        self.connections = 0
        self._sent = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.host, self.port = host, self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> FakeSaned:
        self._run(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self.stopping.set()
        self.release.set()
        self.drop()
        self._shut(self._listener)
        for thread in self._threads:
            thread.join(LONG)

    def drop(self) -> None:
        """Die as a killed server does: all its connections close."""
        with self._lock:
            while self._sockets:
                self._shut(self._sockets.pop())

    def _keep(self, sock: socket.socket) -> bool:
        """Note *sock* for drop(); too late, it is closed."""
        with self._lock:
            if self.stopping.is_set():
                self._shut(sock)
                return False
            self._sockets.append(sock)
            return True

    @staticmethod
    def _shut(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def requests(self, kind: type[m.Request]) -> list[Any]:
        """Return the requests of *kind* that came."""
        return [request for request in self.log if isinstance(request, kind)]

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._keep(sock):
                self._run(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        server = protocol.Server()
        try:
            while True:
                while (request := server.request()) is None:
                    data = sock.recv(4096)
                    if not data:
                        return
                    server.receive(data)
                self.log.append(request)
                answer: Any = self.answers.get(request.__class__, FakeSaned.answer)
                pieces = answer(self, server, request)
                if pieces is None:
                    return
                if pieces == []:  # silence
                    self.stopping.wait(LONG)
                    return
                for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                    if not self._send(sock, piece):
                        return
        except (OSError, ProtocolError):
            return  # the client is gone, or was told to misbehave
        finally:
            self._shut(sock)

    def _send(self, sock: socket.socket, data: bytes) -> bool:
        if self.cut is not None:
            room = self.cut - self._sent
            self._sent += len(data)
            if room < len(data):
                sock.sendall(data[:room])
                return False
        if not self.slowly:
            sock.sendall(data)
            return True
        for byte in data:
            if self.stopping.wait(self.slowly):
                return False
            sock.sendall(bytes((byte,)))
        return True

    def answer(self, server: protocol.Server, request: m.Request) -> Any:
        """Return what a well-behaved server answers."""
        if isinstance(request, m.Init):
            return server.reply(m.InitReply(0, self.version))
        if isinstance(request, m.GetDevices):
            return server.reply(m.DevicesReply(0, self.devices))
        if isinstance(request, m.Open):
            return server.reply(m.OpenReply(0, 7, None))
        if isinstance(request, m.Close | m.Cancel):
            return server.reply(m.Acknowledgement(0))
        if isinstance(request, m.GetDescriptors):
            return server.reply(m.DescriptorsReply(self.descriptors))
        if isinstance(request, m.ControlOption):
            return server.reply(self.control(request))
        if isinstance(request, m.GetParameters):
            return server.reply(m.ParametersReply(0, self.parameters))
        if isinstance(request, m.Start):
            return self.start(server)
        return None

    def control(self, request: m.ControlOption) -> m.ControlReply:
        """Get or set a value; the mode reloads options."""
        info = 0
        if request.action == 1:
            self.values[request.option] = request.value
            info = 6 if request.option == 2 else 0
        kind, size = request.value_type, request.value_size
        value = self.values[request.option][:size].ljust(size, b"\0")
        return m.ControlReply(0, info, kind, size, value, None)

    def start(self, server: protocol.Server, port: int | None = None) -> bytes:
        """Begin to send the frame; *port* is what the reply says instead of the true one."""
        listener = socket.create_server((self.host, 0), family=self._listener.family)
        true_port = listener.getsockname()[1]
        self._run(self._send_frame, listener)
        return server.reply(
            m.StartReply(0, true_port if port is None else port, self.byte_order, None)
        )

    def _send_frame(self, listener: socket.socket) -> None:
        listener.settimeout(LONG)
        try:
            with listener:
                if not self._keep(listener):
                    return
                data, _ = listener.accept()
        except OSError:
            return
        if not self._keep(data):
            return
        try:
            for piece in self.frame:
                if isinstance(piece, Pause):
                    self.release.wait(LONG)
                else:
                    data.sendall(piece)
        except OSError:
            pass  # the client has enough
        finally:
            data.close()
