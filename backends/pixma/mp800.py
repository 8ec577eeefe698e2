"""Family mp800: inkjet units with a CCD sensor, the CanoScans 8800F and 9000F.

Their colours lie lines apart, even pixels come from another sensor than odd ones, and the halves of
the finest lines lie apart as well. Source: specification pixma 2.9 (mp800) and 3.3.
"""

from __future__ import annotations

from ...errors import Unsupported
from ...image.layout import Layout
from . import commands as c
from .inkjet import READY_BYTES, Inkjet
from .models import BASE_DPI
from .request import INFRARED, LUMA, Plan, up, whole_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Model
    from .request import Request

MP800, MP800R, MP830, MP810, MP960 = 0x170D, 0x170E, 0x1713, 0x171A, 0x171B
MP970, MP980, MP990, MG8100, MG8200 = 0x1726, 0x172D, 0x1740, 0x174B, 0x1756
C8800F, C9000F, C9000F_2 = 0x1901, 0x1908, 0x190D
C9000 = (C9000F, C9000F_2)
FINE_WORDS = (C8800F, *C9000)  # their 48 bits at 4800 dpi need no other place for even pixels

FEEDER_DPI, INFRARED_DPI, FILM_DPI, MOST_DPI = 600, 2400, 9600, 4800
LEAST_INFRARED, LEAST_FILM, LEAST_OLD_FILM = 600, 300, 150
FILM_HEIGHT = 740  # pixels at 75 dpi
FILM_TOP = {C8800F: 140, C9000F: 146, C9000F_2: 146}  # lines at 300 dpi before the film
MOST_SUB_IMAGES = {  # of a line
    **dict.fromkeys((MP970, MP990, MG8200, *FINE_WORDS), 4),
}
CALIBRATION_WAITS, LAMP_TRIES = 3, 20
FILM_INFO_BYTES = 52
LAMP_READY = 3


class Optics:
    """Where the samples of a line are, for one model at one resolution.

    distance: lines from one colour to the next. stagger: of red, green and blue, in distances.
    stripe: pixels by which even pixels are shifted. jump: lines that are asked for besides; of
    which the right half of a line comes later, if is_halved.
    """

    def __init__(self, plan: Plan, model: Model) -> None:
        product, dpi = model.product, plan.wire_dpi
        is_flat_48 = plan.request.has_words and not plan.request.is_film
        self.distance = colour_distance(product, dpi)
        self.stagger = (2, 1, 0) if product in (MP810, MP960) else (0, 1, 2)
        self.stripe = self.jump = 0
        self.extra = 0  # lines that are asked for besides those of colours
        unit = 6 if plan.request.is_film else 3  # which the original counts as lines as well
        if product in (MP800, MP800R, MP830, MP810, MP960) and dpi == 2400:
            self.stripe = 1
        elif product in (MP810, MP960, MP990) and dpi == 4800:
            self.stripe = 1
            self.jump = 34 if product == MP990 else 33
        elif product in (MP970, *FINE_WORDS) and dpi == 4800:
            self.stripe = 1
        elif product in C9000 and dpi == 9600:
            self.stripe = 1
            self.jump = 32
        self.extra = (unit if self.stripe else 0) + self.jump
        self.is_halved = self.jump > 0 and product != MP990
        if is_flat_48 and product in FINE_WORDS and dpi == 4800:
            self.stripe = 0

    @property
    def extra_lines(self) -> int:
        """Lines that come before all colours of the last row have come."""
        return 2 * self.distance + self.extra


def colour_distance(product: int, dpi: int) -> int:
    """Return how many lines one colour lies from the next."""
    if dpi == BASE_DPI or product in (MP800, MP800R, MP830, MG8100):
        return 0
    if product in (MP980, MG8200, MP990):
        return dpi // 75 if dpi > 150 else 0
    return dpi // (30 if product in C9000 else 50)


def sent_places(model: Model, dpi: int, width: int) -> list[int] | None:
    """Return for each pixel of a line which one it is as sent; None where they are in order."""
    product = model.product
    if product in (MP810, MP960) and dpi == 4800:
        targets = [_paired(i, width // 2, 2) for i in range(width)]
    elif product in C9000 and dpi == 9600:
        swapped = (1, 2, 3, 4, -4, -3, -2, -1)
        targets = [_paired(i, width // 8, 8) for i in range(width)]
        pairs = [pair + swapped[pair % 8] for pair in range(width // 2)]
        targets = [2 * pairs[target // 2] + target % 2 for target in targets]
    else:
        n = dpi // (600 if model.generation >= 3 else 2400)
        n = max(1, min(n, MOST_SUB_IMAGES.get(product, n)))
        part = width // n
        targets = [n * (i % part) + i // part for i in range(width)]
        if product in (MP970, MP990, *FINE_WORDS) and dpi == 4800:
            targets = [t + t % 8 - (7 if t % 8 > 3 else 0) for t in targets]
        elif n == 1:
            return None
    places = [0] * width
    for sent, target in enumerate(targets):
        if 0 <= target < width:
            places[target] = sent
    return places


def _paired(sent: int, part: int, step: int) -> int:
    """Return where a sent pixel belongs, of lines whose sub-images hold pairs of pixels."""
    r, k = divmod(sent, part)
    return step * k + 2 * r if sent % 2 == 0 else step * (k - 1) + 1 + 2 * r


class Mp800(Inkjet):
    """One scanner of this family."""

    ready_tries = 60
    film_flag = 1

    def plan(self, request: Request) -> Plan:
        model = self.model
        if request.is_film and request.is_lineart:
            raise Unsupported("line art of film")
        plan = Plan(request)
        plan.is_thresholded = request.is_lineart
        if request.is_film:
            plan.depth = 16
        least, most = self._window(request)
        plan.scale_to(min(max(plan.dpi, least), most))
        if request.is_film:
            self._fit_film(plan)
        plan.fit()
        if request.is_lineart:
            plan.width = whole_bytes(plan.width, model, 8)
        plan.wire_dpi, plan.wire_color = plan.dpi, True
        plan.wire_bits = 48 if plan.depth == 16 else 24
        shift = plan.left % 32 if model.generation >= 2 else 0
        plan.left -= shift
        if model.generation >= 2:
            plan.wire_width = up(plan.width + shift, 32)
        else:
            plan.wire_width = up(plan.width, 4 if request.is_color else 12)
        optics = Optics(plan, model)
        extra = optics.extra_lines
        most = model.height * plan.dpi // BASE_DPI + (extra if model.generation >= 4 else 0)
        plan.wire_lines = min(plan.lines + extra, most)
        self._lay_out(plan, optics, shift)
        return plan

    def _window(self, request: Request) -> tuple[int, int]:
        """Return the lowest and the highest resolution that can be scanned."""
        model, least, most = self.model, BASE_DPI, MOST_DPI
        if request.mode == INFRARED:
            return LEAST_INFRARED, INFRARED_DPI
        if request.is_fed and model.generation >= 4:
            most = FEEDER_DPI
        if request.is_film:
            most = FILM_DPI if model.product in C9000 else MOST_DPI
            is_new = model.generation >= 3 or model.product in (MP810, MP960)
            least = LEAST_FILM if is_new else LEAST_OLD_FILM
        elif request.has_words:
            least = LEAST_OLD_FILM
        return least, most

    def _fit_film(self, plan: Plan) -> None:
        """Keep the area on the film, which begins some way down."""
        model = self.model
        height = model.height
        if model.product in FILM_TOP:
            height = min(FILM_HEIGHT, height)
        most = height * (plan.dpi // BASE_DPI)
        plan.top = min(plan.top, most - 1)
        plan.lines = min(plan.lines, most - plan.top)
        if plan.top and model.product in FILM_TOP:
            plan.top += FILM_TOP[model.product] * plan.dpi // 300

    def _lay_out(self, plan: Plan, optics: Optics, shift: int) -> None:
        request, width = plan.request, plan.wire_width
        places = sent_places(self.model, plan.wire_dpi, width)
        columns: Sequence[int] | None = places
        pattern: Sequence[int] = (0,)
        if optics.stripe:
            columns = [i + 1 if i % 2 == 0 else i for i in places or range(width)]
        if optics.is_halved:
            half = width // 2
            pattern = [optics.jump if i >= half else 0 for i in places or range(width)]
        is_infrared = request.mode == INFRARED
        channels = 1 if is_infrared else 3
        plan.layout = Layout(
            *(plan.width, channels, plan.depth if plan.depth == 16 else 8),
            colors="RGB",
            pick="R" if is_infrared else "",
            wire_width=width,
            left=shift,
            columns=columns,
            column_lines=pattern,
            stagger=[n * optics.distance for n in optics.stagger[:channels]],
        )
        if channels == 3 and plan.channels == 1:
            plan.weights = LUMA

    # Commands

    def greet(self) -> None:
        if self.model.product == C8800F:
            self.attempt(c.ABORT)
            return
        self.status()
        if self.model.generation == 3:
            self.attempt(c.LAMP_ON, flag=1)

    def calibrate(self) -> None:
        """Let the lamp warm up; whatever the scanner says to it, it does so."""
        self.attempt(c.CALIBRATE)
        self.status()
        for _ in range(CALIBRATION_WAITS):
            self.hear(1.0)

    def await_lamp(self, plan: Plan) -> None:
        """Adjust the lamp, and for film wait until it is bright enough."""
        self.status()
        self.status()
        self.patiently(c.LAMP_ON, flag=1)
        self.status()
        for _ in range(LAMP_TRIES):
            is_ready = self.command(c.LAMP_STATUS, want=READY_BYTES)[0] == LAMP_READY
            if is_ready or not plan.request.is_film:
                return
            self.hear(1.0)

    def finish_page(self, plan: Plan, *, is_whole: bool) -> None:
        if plan.request.is_film:
            self.attempt(c.FILM_INFO, want=FILM_INFO_BYTES)
        super().finish_page(plan, is_whole=is_whole)
