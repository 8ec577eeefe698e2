"""Where WS-Scan devices are: the ways to each, and how the network is searched for them.

Source: specification escl 1.5 and 9.2.
"""

from __future__ import annotations

from ...discovery.search import side_by_side
from ...errors import Cancelled, DeviceIOError, SaneError
from ...network_backend import Place
from ...transport.url import Url
from .._driverless.capabilities import readable, vendor_and_model
from .._driverless.names import hyphenated
from . import finding, soap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...cancel import Cancels
    from ...debug import Debug
    from ...transport.http import Http, Response
    from ...transport.network import Network
    from .finding import Metadata, Target

    Wait = Callable[[float, int], bool]

PROBE_SECONDS = 2.5
QUIET_SECONDS = 1.0  # without any answer after the last question
ROUNDS, PAUSE_SECONDS = 3, 0.2
METADATA_SECONDS = 3.0
ANSWER_BYTES = 1 << 20
MOST_DEVICES = 256
HEADERS = (("Content-Type", "application/soap+xml; charset=utf-8"), ("User-Agent", "WSDAPI"))


class WsdPlace(Place):
    """One device: *urls* of its scan service, the first one first.

    name: its device name. shown: what it calls itself. vendor, model: "" until they are known.
    """

    __slots__ = ("model", "name", "shown", "urls", "vendor")

    def __init__(self, name: str, urls: Sequence[Url]) -> None:
        first = urls[0]
        super().__init__(first.scheme, first.host, first.port, first.path)
        self.name = name
        self.urls = list(urls)
        self.shown = self.vendor = self.model = ""


class Finder:
    """Searches the network; what it asks goes over *network*.

    port, direct_port: where devices listen for datagrams, and for questions to them alone.
    """

    def __init__(
        self, network: Network, debug: Debug, port: int = finding.PORT, direct_port: int = 80
    ) -> None:
        self._port = port
        self._direct_port = direct_port
        self._network = network
        self._debug = debug
        self._urls: dict[str, dict[str, str]] = {}  # of each device, with who told them
        self._silent: set[str] = set()  # those that have answered without a URL

    def search(self, wait: Wait) -> list[WsdPlace]:
        """Return the scanners that answer on any network of this machine."""
        self._ask(finding.probe(self._identity()), wait, ROUNDS)
        for address in sorted(self._silent - set(self._urls))[: finding.MOST_TARGETS]:
            self._ask(finding.resolve(self._identity(), address), wait, 1)
        return self.described()

    def ask_directly(self, hosts: Sequence[str]) -> list[WsdPlace]:
        """Return the scanners at *hosts*, addresses that are known otherwise."""
        question = finding.probe(self._identity())

        def asking(host: str) -> Callable[[Cancels], None]:
            return lambda cancel: self._ask_host(host, question, cancel)

        side_by_side([asking(host) for host in hosts], METADATA_SECONDS, _nothing)
        return self.described()

    def _identity(self) -> str:
        return soap.message_id(self._network.random(16))

    def _ask(self, question: bytes, wait: Wait, rounds: int) -> None:
        answers = self._network.search(
            [(question, self._port)],
            wait,
            PROBE_SECONDS,
            to=finding.GROUPS,
            with_loopback=True,
            quiet_seconds=QUIET_SECONDS,
            rounds=rounds,
            pause_seconds=PAUSE_SECONDS,
        )
        for answer in answers:
            self.hear(answer.data, answer.host)

    def _ask_host(self, host: str, question: bytes, cancel: Cancels) -> None:
        url = Url("http", host, self._direct_port, finding.DIRECT_PATH)
        try:
            http = self._network.http(url, cancel=cancel, connect_seconds=METADATA_SECONDS)
            response = _post(http, url, question)
        except (SaneError, OSError) as exc:
            self._debug(2, "%s: %s", host, exc)
            return
        self.hear(response.body, host)

    def hear(self, data: bytes, sender: str) -> None:
        """Take note of the devices that *sender* tells of."""
        try:
            targets = finding.heard(data)
        except DeviceIOError as exc:
            self._debug(2, "%s: %s", sender, exc)
            return
        for target in targets:
            self._note(target, sender)

    def _note(self, target: Target, sender: str) -> None:
        if target.has_left:
            self._urls.pop(target.address, None)
        elif not target.is_scanner:
            return
        elif not target.urls:
            self._silent.add(target.address)
        elif target.address in self._urls or len(self._urls) < MOST_DEVICES:
            known = self._urls.setdefault(target.address, {})
            for text in target.urls:
                url = finding.reachable(text, sender)
                if url is not None and len(known) < finding.MOST_URLS:
                    known.setdefault(str(url), sender)

    def described(self) -> list[WsdPlace]:
        """Ask those that were heard what they are; return the scanners among them."""
        found: dict[str, WsdPlace] = {}
        urls, self._urls = self._urls, {}

        def asking(address: str, ways: dict[str, str]) -> Callable[[Cancels], None]:
            def ask(cancel: Cancels) -> None:
                place = self._described(address, ways, cancel)
                if place is not None:
                    found[address] = place

            return ask

        tasks = [asking(address, ways) for address, ways in urls.items() if ways]
        if tasks:
            side_by_side(tasks, METADATA_SECONDS, _nothing)
        return [found[address] for address in urls if address in found]

    def _described(self, address: str, ways: dict[str, str], cancel: Cancels) -> WsdPlace | None:
        """Return the device *address*, by the first of its *ways* that tells of a scanner."""
        for text, sender in ways.items():
            try:
                metadata = self._metadata(Url.parse(text), address, cancel)
            except Cancelled:
                return None
            except (SaneError, OSError) as exc:
                self._debug(2, "%s: %s", text, exc)
                continue
            urls = [finding.reachable(one, sender) for one in metadata.urls]
            known = [url for url in urls if url is not None]
            if known:
                return described_place(metadata, known)
        return None

    def _metadata(self, url: Url, address: str, cancel: Cancels) -> Metadata:
        http = self._network.http(url, cancel=cancel, connect_seconds=METADATA_SECONDS)
        question = finding.metadata_question(self._identity(), address)
        response = _post(http, url, question)
        return finding.metadata(response.body, address)


def _post(http: Http, url: Url, question: bytes) -> Response:
    return http.fetch(
        "POST", url.path or "/", question, HEADERS, most=ANSWER_BYTES, seconds=METADATA_SECONDS
    )


def _nothing(_cancel: Cancels) -> Sequence[Callable[[Cancels], None]]:
    return ()


def described_place(metadata: Metadata, urls: Sequence[Url]) -> WsdPlace:
    """Return the place of a device that has told what it is."""
    name = hyphenated(metadata.uuid) if metadata.uuid else str(urls[0])
    place = WsdPlace(name, urls)
    place.uuid, place.serial = metadata.uuid, metadata.serial
    place.shown = readable(metadata.name)
    model = readable(metadata.full_model)
    vendor = readable(metadata.vendor)
    if vendor and model.lower().startswith(f"{vendor.lower()} "):
        place.vendor, place.model = vendor, model[len(vendor) :].strip()
    else:
        place.vendor, place.model = vendor_and_model(model)
    return place
