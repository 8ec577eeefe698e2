"""Terminals as SVG: one picture, or a film that needs no script."""

from __future__ import annotations

import html
from itertools import groupby

from .terminal import Line, Shown, Style

CELL, HEIGHT, FONT = 8.4, 19, 14
MARGIN, BAR = 16, 34
BACKGROUND, EDGE, TEXT = "#10212b", "#2b4250", "#dce8ee"
PROMPT = "#5fe0b8"
COLORS = (
    *("#10212b", "#ff8a80", "#5fe0b8", "#ffd166", "#7cc4ff", "#d7a6ff", "#6fd9e8", "#dce8ee"),
    *("#7c95a3", "#ffaca4", "#8ff0d0", "#ffe199", "#a6d6ff", "#e5c6ff", "#9fe8f2", "#ffffff"),
)
FACES = (
    "ui-monospace,'Cascadia Mono','SF Mono',Menlo,'DejaVu Sans Mono','Liberation Mono',monospace"
)


def size_of(columns: int, rows: int) -> tuple[int, int]:
    """Return width and height of a terminal's picture."""
    return round(columns * CELL) + 2 * MARGIN, rows * HEIGHT + BAR + MARGIN


def window(width: int, height: int, title: str) -> str:
    """Return an empty terminal."""
    dots = "".join(
        f'<circle cx="{MARGIN + 6 + 20 * n}" cy="17" r="5.5" fill="{color}"/>'
        for n, color in enumerate(("#ff6b5e", "#ffc24b", "#3ccf8e"))
    )
    return (
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10" '
        f'fill="{BACKGROUND}" stroke="{EDGE}"/>{dots}'
        f'<text x="{width / 2}" y="22" text-anchor="middle" fill="#9fb4c0" font-size="12">'
        f"{html.escape(title)}</text>"
    )


def attributes(style: Style) -> str:
    """Return how characters of *style* are drawn."""
    color = TEXT if style.color is None else COLORS[style.color]
    found = f' fill="{color}"' if color != TEXT else ""
    found += ' font-weight="bold"' if style.bold else ""
    return found + (' opacity=".72"' if style.faint else "")


def line_of(line: Line, row: int) -> str:
    """Return one line of text; what looks alike is one piece, as wide as its characters."""
    found, column = "", 0
    y = BAR + HEIGHT * row + FONT
    for style, cells in groupby(line, key=lambda cell: cell[1]):
        text = "".join(sign for sign, _ in cells)
        start = len(text) - len(text.lstrip(" "))
        word = text.strip(" ")
        if word:
            x, wide = MARGIN + (column + start) * CELL, len(word) * CELL
            found += (
                f'<text x="{x:.1f}" y="{y}" textLength="{wide:.1f}" '
                f'lengthAdjust="spacingAndGlyphs"{attributes(style)}>{html.escape(word)}</text>'
            )
        column += len(text)
    return found


def svg(width: int, height: int, inside: str, title: str, css: str = "") -> str:
    """Return a whole picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{html.escape(title)}" '
        f'font-family="{FACES}" font-size="{FONT}" fill="{TEXT}">'
        f"<style>text{{white-space:pre}}{css}</style>{inside}</svg>\n"
    )


def still(shown: Shown, columns: int, title: str, alt: str) -> str:
    """Return a picture of a terminal that shows *shown*."""
    width, height = size_of(columns, len(shown))
    lines = "".join(line_of(line, row) for row, line in enumerate(shown))
    return svg(width, height, window(width, height, title) + lines, alt)


def spans(frames: list[tuple[float, Shown]], end: float) -> list[tuple[int, Line, float, float]]:
    """Return each line that is shown: its row, what it says, from when until when."""
    found: list[tuple[int, Line, float, float]] = []
    nothing: Line = ()
    rows = max(len(shown) for _, shown in frames)
    for row in range(rows):
        at, line = 0.0, nothing
        for moment, shown in [*frames, (end, None)]:
            new = line if shown is None else (shown[row] if row < len(shown) else nothing)
            if new != line or shown is None:
                if line and moment > at:
                    found.append((row, line, at, moment))
                at, line = moment, new
    return found


def film(frames: list[tuple[float, Shown]], end: float) -> tuple[str, str]:
    """Return lines and style of a terminal that goes through *frames*, again and again.

    It takes *end* seconds. Who wants no motion sees the last frame.
    """
    css, lines = "", ""
    for number, (row, line, start, stop) in enumerate(spans(frames, end)):
        first, last = 100 * start / end, 100 * stop / end
        before = f"0%,{first:.2f}%{{visibility:hidden}}" if start else "0%{visibility:visible}"
        after = f"{last:.2f}%,100%{{visibility:hidden}}" if stop < end else ""
        css += (
            f"@keyframes k{number}{{{before}{first + 0.01:.2f}%{{visibility:visible}}{after}}}"
            f".k{number}{{animation-name:k{number}}}"
        )
        stays = " stays" if stop >= end else ""
        lines += f'<g class="f k{number}{stays}">{line_of(line, row)}</g>'
    css = f".f{{animation:{end:.2f}s step-end infinite}}{css}" + (
        "@media(prefers-reduced-motion:reduce){.f{animation:none;visibility:hidden}"
        ".f.stays{visibility:visible}}"
    )
    return lines, css
