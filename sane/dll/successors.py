"""Names that programs have stored for devices of C backends which ours take the place of.

Where such a C backend is not installed, its names open the same devices through ours.
Source: specification escl 1.7.
"""

from __future__ import annotations

AIRSCAN, ESCL, WSD = "airscan", "escl", "wsd"
WSD_NAMES = ("w", "wsd:")  # airscan:w1:NAME, airscan:wsd:NAME:URL


def successor(backend: str, device: str) -> str:
    """Return the backend of ours that knows *device* of *backend*, "" if there is none."""
    if backend != AIRSCAN:
        return ""
    return WSD if device.startswith(WSD_NAMES) else ESCL
