"""What the fuzzer tries on messages of WS-Discovery and WS-Scan: any bytes, read as every kind."""

from __future__ import annotations

from sane.errors import SaneError


def check(data: bytes) -> None:
    """Read *data* as a datagram, as metadata, capabilities, a status, and a job's name."""
    from sane.backends.wsd import capabilities, finding, soap, status, ticket

    try:
        for target in finding.heard(data):
            assert target.address
            for url in target.urls:
                finding.reachable(url, "192.0.2.1")
        message = soap.read(data)
        state = status.read(message.body)
        status.meaning(message.fault, message.reason, state, is_feeder=True)
    except SaneError:
        return
    for read in (capabilities.read, ticket.created):
        try:
            read(message.body)
        except SaneError:
            continue
    try:
        finding.metadata(data, "urn:uuid:1")
    except SaneError:
        return


def seeds() -> dict[str, bytes]:
    """Return the messages of the emulated device."""
    from sane.backends.wsd import capabilities, finding, soap
    from sane.testing.wsd import Scanner, messages

    scanner = Scanner()
    get = finding.metadata_question("urn:uuid:1", "urn:uuid:2")
    elements = soap.envelope(f"{soap.SCAN}/GetScannerElements", "1", "2", capabilities.question())
    match = (
        "<wsd:ProbeMatches><wsd:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:1"
        "</wsa:Address></wsa:EndpointReference><wsd:Types>wscn:ScanDeviceType</wsd:Types>"
        "<wsd:XAddrs>http://192.0.2.1/</wsd:XAddrs></wsd:ProbeMatch></wsd:ProbeMatches>"
    )
    return {
        "capabilities": scanner.answer(elements)[2],
        "metadata": scanner.metadata(get, "http://192.0.2.1/scan"),
        "matches": messages.envelope(f"{soap.DISCOVERY}/ProbeMatches", match),
        "fault": messages.fault("ServerErrorNotAcceptingJobs", "no", "urn:uuid:1"),
    }
