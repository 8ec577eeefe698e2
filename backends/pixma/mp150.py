"""Family mp150: inkjet units with a CIS sensor, the LiDE 300 and 400, MAXIFY.

Source: specification pixma 2.9 (mp150) and 3.2.
"""

from __future__ import annotations

from ...image.layout import Layout, interleaved
from .inkjet import Inkjet
from .models import BASE_DPI
from .request import LUMA, Plan, up, whole_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .models import Model
    from .request import Request

FEEDER_DPI = 600  # of generations 4 and 5: a feeder scans no finer, whatever is asked
# Where lines come as that many pixels' worth of sub-images: resolution over these.
OLD_SENSOR_DPI, SENSOR_DPI, FINE_SENSOR_DPI = 2400, 600, 1200
FINE_SENSORS = (0x1718, 0x1719, 0x18B6)  # MP600, MP600R, XK90
PLAIN_LINES = (0x1722, 0x174D)  # MP220, MX360: their lines are in order
LATE_SUB_IMAGES = (  # of generation 5, the only ones whose lines are not in order
    *(0x1760, 0x1762, 0x1763, 0x177F, 0x178E, 0x1755, 0x175F, 0x1774, 0x175C, 0x18B6, 0x1769),
)


def sub_images(model: Model, dpi: int) -> int:
    """Return how many sub-images a line at *dpi* comes in: one after the other, 1 for none."""
    is_late = model.generation >= 5 and model.product not in LATE_SUB_IMAGES
    if model.product in PLAIN_LINES or is_late:
        return 1
    sensor = SENSOR_DPI if model.generation >= 3 else OLD_SENSOR_DPI
    if model.product in FINE_SENSORS:
        sensor = FINE_SENSOR_DPI
    return max(1, dpi // sensor)


class Mp150(Inkjet):
    """One scanner of this family."""

    ready_mask = 0x03

    def plan(self, request: Request) -> Plan:
        model = self.model
        plan = Plan(request)
        plan.is_thresholded = request.is_lineart
        self._shape(plan)
        plan.fit()
        self._shape(plan)
        plan.is_jpeg = request.is_fed and model.has("J")
        scale = plan.scale = max(1, model.limit("scan", 0) // plan.dpi)
        plan.wire_color = request.is_color or request.has_words or plan.is_jpeg
        plan.wire_dpi = plan.dpi * scale
        plan.wire_bits = 48 if request.has_words else 24 if plan.wire_color else 8
        shift = plan.left * scale % 32 if model.generation >= 2 else 0
        plan.left, plan.top = plan.left * scale - shift, plan.top * scale
        width = plan.width * scale
        if model.generation >= 2:
            plan.wire_width = up(width + shift, 32)
        else:
            plan.wire_width = up(width, 4 if plan.wire_color else 12)
        plan.wire_lines = min(plan.lines, model.height * plan.dpi // BASE_DPI) * scale
        self._lay_out(plan, shift)
        return plan

    def _shape(self, plan: Plan) -> None:
        """Make the frame one that the scanner has; where it is one already, nothing changes."""
        request, model = plan.request, self.model
        if request.is_lineart:
            plan.width = whole_bytes(plan.width, model, 8)
        if request.is_fed and model.generation >= 4 and plan.dpi > FEEDER_DPI:
            plan.scale_to(FEEDER_DPI)

    def _lay_out(self, plan: Plan, shift: int) -> None:
        channels = 3 if plan.wire_color else 1
        width = plan.width * plan.scale
        if plan.is_jpeg:
            plan.layout = Layout(plan.width, 3, wire_width=plan.wire_width)
        else:
            n = sub_images(self.model, plan.wire_dpi)
            plan.layout = Layout(
                *(width, channels, 16 if plan.wire_bits == 48 else 8),
                wire_width=plan.wire_width,
                left=shift,
                columns=interleaved(plan.wire_width, n) if n > 1 else None,
            )
        if channels == 3 and plan.channels == 1:
            plan.weights = LUMA
