"""The registers of a scan: 08 to 7f for what it is to send.

Arithmetic only; what a calibration has found is already in the registers. Source: specification
plustek 2 and 3.5.
"""

from __future__ import annotations

from math import ceil

from ...backend import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Registers
    from .models import Hardware
    from .plan import Scan

# Fields, by the data sheets.
FILL, STATUS, SELECT, ADDRESS, DATA = 0x01, 0x02, 0x03, 0x04, 0x06
COMMAND = Field(0x07)
CLOCK, DIVIDER, TURBO = Field(0x08), Field(0x09), Field(0x0A)
LED = Field(0x0D, 1, shift=4)  # of units with motor P2: the lamp is on
TIMING, SENSOR, INTEGRATION, PHASE = 0x0B, 0x0F, Field(0x19), 0x1A
LINE_END, FIRST_PIXEL, LAST_PIXEL = Field(0x20, 16), Field(0x22, 16), Field(0x24, 16)
FRONT_END, REG_27, LIGHT, LAMP_DUTY = Field(0x26), Field(0x27), Field(0x29), Field(0x2A, 16)
LAMPS, OFFSETS, GAINS = 0x2C, 0x38, 0x3B
FIXED_OFFSET, FIXED_GAIN, CORRECTION = Field(0x3E, 16), Field(0x40, 16), Field(0x42)
MOTOR_CONTROL, MOTOR_ON = Field(0x45), Field(0x45, 1, shift=4)
STEP, FAST_STEP = Field(0x46, 16), Field(0x48, 16)
FIRST_STEPS, MOST_STEPS = Field(0x4A, 16), Field(0x4C, 16)
PAUSE, RESUME = Field(0x4E), Field(0x4F)
REVERSE, ACCELERATION, PHASE_DIFFERENCE = Field(0x50), Field(0x51), Field(0x52, 16)
AFTER_PAUSE, KICK_START = Field(0x54), Field(0x55)
PWM, PWM_DUTY, PAPER_SENSE = Field(0x56), Field(0x57), Field(0x58)
PINS, REG_5C, REVISION = 0x59, 0x5C, 0x69
FIRST, LAST = 0x08, 0x7F  # of a block

CRYSTAL = 48e6  # Hz
LEAST_CLOCKS = 5.3  # of a pixel: its exposure is made longer below
MAIN_CLOCKS = 8  # of a pixel clock
RESERVED_KIB = {False: 216, True: 192}  # of the chip's memory, in scans of 8 and of 16 bits
MOST_STEP = 0xFFFF
TURBO_DPI = 300  # up to which units of class P, but those of 600 dpi, scan gray in turbo mode


def fill(registers: Registers, scan: Scan) -> None:
    """Set the registers for *scan*, and note its clock divider there."""
    hardware = scan.unit.hardware
    set_mode(registers, scan)
    length = line_length(registers, scan)
    lines = scan.sublines * length  # pixel clocks of a line
    step = max(2, scan.dpi_y * lines // (4 * hardware.steps_per_inch) & MOST_STEP) * 298 // 297
    registers[REVERSE] = hardware.reverse_steps if scan.is_page else 0
    registers[ACCELERATION] = hardware.acceleration
    set_step(registers, scan, step, lines)
    scan.clock = scan.clock or clock_of(scan)
    extra = extra_exposure(scan, length)
    registers[CLOCK] = int((scan.clock - 1) * 2)
    registers[INTEGRATION] = extra
    if extra:
        step = max(2, step * (extra + 1) // extra & MOST_STEP)
        set_step(registers, scan, step, lines)
    set_lamp_duty(registers, scan, length)
    registers[FAST_STEP] = fast_step(
        scan, hardware.move_speed, scan.clock, extra, is_turbo=bool(registers[TURBO])
    )
    set_limits(registers, scan)


def set_mode(registers: Registers, scan: Scan) -> None:
    """Set what hangs on colour, depth and the unit alone."""
    unit, hardware = scan.unit, scan.unit.hardware
    motor = hardware.motor
    is_turbo = is_turbo_scan(scan)
    index = scan.index - 2 * is_turbo
    registers[DIVIDER] = index | {1: 0, 8: 0x18}.get(scan.bits, 0x20)
    registers[TURBO] = int(is_turbo)
    front = hardware.front_end & 7 if scan.is_color else hardware.front_end & 0x18 | 4
    registers[FRONT_END] = front | (0x11 if scan.is_color and unit.is_cis else 0)
    registers[REG_27] = hardware.reg_27
    led = registers[LED] if motor.name == "P2" else 0
    registers.note(TIMING, hardware.timing)
    registers[LED] = led | registers[LED]
    registers.note(SENSOR, hardware.sensor_color if scan.is_color else hardware.sensor_mono)
    registers.note(PHASE, hardware.phase)
    registers.note(PHASE + 2, bytes(4))
    registers.note(0x28, bytes(1))
    registers.note(0x43, bytes(2))
    line_end = hardware.line_end
    if motor.line_end and scan.dpi_y <= motor.line_end[0]:
        line_end = motor.line_end[1]
    registers[LINE_END] = scan.line_end or line_end
    registers[FIRST_PIXEL], registers[LAST_PIXEL] = scan.start, scan.end
    registers[AFTER_PAUSE], registers[KICK_START] = hardware.lines_after_pause, hardware.kick_start
    registers[PWM], registers[PWM_DUTY] = scan_pwm(scan)
    registers[PAPER_SENSE] = hardware.paper_sense
    registers.note(REG_5C, hardware.reg_5c)
    registers.note(REG_5C + 3, bytes(LAST - REG_5C - 2))


def is_turbo_scan(scan: Scan) -> bool:
    """Tell whether the chip takes two pixels at once."""
    unit = scan.unit
    is_old = unit.hardware.motor.is_plustek and unit.optical_dpi != 600
    return is_old and not scan.is_color and scan.dpi_x <= TURBO_DPI


def scan_pwm(scan: Scan) -> tuple[int, int]:
    """Return frequency and duty of the motor's current in a scan."""
    motor, dpi = scan.unit.hardware.motor, scan.dpi_x
    if motor.scan is not None:
        return motor.scan[0], motor.scan[1]
    if scan.unit.optical_dpi == 1200:
        limits = ((200, 1), (300, 2), (400, 8), (600, 2))
        return next((value for limit, value in limits if dpi <= limit), 1), 48
    if motor.name == "P3":
        return 16, 4
    if motor.name == "P2":
        return 64, 4
    return (24, 16) if dpi <= 200 else (16, 16) if dpi <= 400 else (2, 48)


def line_length(registers: Registers, scan: Scan) -> int:
    """Return the pixel clocks of a line of one colour, with the sensor's transfer pulse."""
    kind = registers[TIMING] >> 3 & 3
    is_long = registers[TIMING + 2] >> 7
    guard, width = registers[TIMING + 3] >> 4, registers[TIMING + 3] & 15
    pulse = {0: (is_long + 1) * (2 * guard + width + 1), 2: 3}.get(kind, 1)
    turbo = 2 if registers[TURBO] else 1
    return registers[LINE_END] + turbo * (pulse + 3 - is_long) + (kind == 0)


def set_step(registers: Registers, scan: Scan, step: int, lines: int) -> None:
    """Set the motor's step, and by how much it is out of step with lines after a pause."""
    hardware = scan.unit.hardware
    counts = [hardware.acceleration >> shift & 3 for shift in (4, 6)]  # quarter, half speed
    if hardware.chip > 1:
        counts = [8 if count == 3 else count for count in counts]
    reverse = registers[REVERSE] & 0x3F if hardware.chip == 1 else registers[REVERSE]
    ways = (4 * counts[0] + 2 * counts[1] + reverse) * 4 * step
    difference = lines - ways % lines
    registers[STEP] = step
    registers[ACCELERATION] = registers[ACCELERATION] | difference >> 16 & 3
    registers[PHASE_DIFFERENCE] = difference & 0xFFFF


def clock_of(scan: Scan) -> float:
    """Return the clock divider for *scan*."""
    motor = scan.unit.hardware.motor
    return motor.clock(scan.dpi_y, scan.is_color, scan.is_deep)


def extra_exposure(scan: Scan, length: int) -> int:
    """Return by how many line times less one the exposure is longer, 0 for not at all.

    A pixel needs a number of clocks, and a line of a page must not come faster than USB takes it.
    """
    hardware = scan.unit.hardware
    clocks = scan.divider * scan.clock
    extra = 0 if clocks >= LEAST_CLOCKS else ceil(LEAST_CLOCKS / clocks)
    if not (scan.is_page and scan.is_deep):
        return extra
    channels = 3 if scan.is_color else 1
    room = scan.clock * channels * length / 6 * 9 / 10
    limit = 0xFF
    slow = (("n3799", "P2"), ("slim", "H"))
    if (scan.unit.sensor, hardware.motor.name) in slow:
        limit = int((scan.clock + 1) / 2)
    while scan.line_bytes > room * (1 + extra) and extra < limit:
        extra += 1
    return min(extra, limit)


def set_lamp_duty(registers: Registers, scan: Scan, length: int) -> None:
    """Set the lamp's duty by how long it lights a line."""
    hardware = scan.unit.hardware
    channels = 3 if scan.is_color else 1
    limit = CRYSTAL * hardware.high_lamp_ms / (1000 * MAIN_CLOCKS * channels * length)
    registers[LAMP_DUTY] = hardware.duty_low if scan.clock > limit else hardware.duty_high


def fast_step(
    scan: Scan, speed: float, clock: float, extra: int = 0, *, is_turbo: bool = False
) -> int:
    """Return the step of moves before a scan."""
    hardware = scan.unit.hardware
    channels = 3 if scan.is_color else 1
    step = step_of(hardware, speed, clock, channels)
    if scan.unit.is_cis and channels == 1:
        step //= 3
    if extra:
        step //= extra
    return step * 2 & MOST_STEP if is_turbo else step


def step_of(hardware: Hardware, speed: float, clock: float, channels: int = 1) -> int:
    """Return how long a step of a move at *speed* inch/s lasts, in the chip's measure."""
    pixel_clocks = CRYSTAL / (max(clock, 1) * MAIN_CLOCKS * channels)
    return int(pixel_clocks / (speed * 4 * hardware.steps_per_inch)) & MOST_STEP


def set_limits(registers: Registers, scan: Scan) -> None:
    """Set how far the chip's memory fills before it pauses, and how far the motor goes."""
    hardware = scan.unit.hardware
    registers[PAUSE], registers[RESUME] = pause_limit(registers, scan), 1
    registers[FIRST_STEPS] = scan.steps
    registers[MOST_STEPS] = 0  # no limit
    if scan.is_page and scan.lines and not scan.unit.is_sheet_fed:
        lines = scan.total_lines + 2 * scan.stagger + 5
        steps = ceil(lines * hardware.steps_per_inch / scan.dpi_y)
        registers[MOST_STEPS] = steps & 0xFFFF


def pause_limit(registers: Registers, scan: Scan) -> int:
    """Return how full the memory may become, in the chip's measure."""
    dram = scan.unit.hardware.dram_kib
    size = scan.counted_bytes * scan.sublines
    limit = dram - RESERVED_KIB[scan.is_deep] - (size // 1024 + 1)
    if not registers[REVERSE]:
        limit -= ((registers[AFTER_PAUSE] & 7) * size + 1023) // 1024
    limit = max(2, min(limit, ceil(scan.counted_bytes * scan.lines / 1024)))
    value = limit * 512 // (2 * dram)
    for _ in range(2):
        value = value - 1 if value > 1 else 1
    return value
