// A rectangle over a picture that is dragged by pointer and moved by keys.

import { announce, h, setStyle } from "./dom.js";
import { t } from "./words.js";

const EDGES = ["n", "e", "s", "w", "ne", "se", "sw", "nw"];
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * A selection over *stage*, an element that lies exactly on the picture. Rectangles are
 * {left, top, width, height} in units of the picture, which is limits.width by limits.height.
 *
 * steps: what an arrow key and one with Shift move by. changed(rectangle) is called at the end of
 * each change, describe(rectangle) gives its text; isOwn() tells whether a drag inside moves it or
 * draws another one. Returns {element, show(rectangle)}.
 */
export function selection(stage, { limits, least, steps, describe, changed, isOwn, label }) {
  let now = { left: 0, top: 0, width: limits.width, height: limits.height };
  const size = h("output", { class: "selection-size", "aria-hidden": "true" });
  const help = h("span", { class: "unseen", id: `${label.replace(/\W/g, "")}-keys` }, t("selection.keys"));
  const element = h(
    "div",
    { class: "selection", tabindex: 0, role: "application", "aria-label": label, "aria-describedby": help.id },
    EDGES.map((edge) => h("i", { class: `handle ${edge}`, "data-edge": edge })),
    size
  );
  const hole = h("i", {}); // what is not selected is darker
  stage.append(h("div", { class: "veil", "aria-hidden": "true" }, hole), help, element);

  const show = (rectangle) => {
    now = rectangle;
    const place = {
      left: `${(100 * now.left) / limits.width}%`,
      top: `${(100 * now.top) / limits.height}%`,
      width: `${(100 * now.width) / limits.width}%`,
      height: `${(100 * now.height) / limits.height}%`,
    };
    setStyle(element, place);
    setStyle(hole, place);
    element.classList.toggle("own", isOwn(now));
    size.textContent = describe(now);
  };
  const done = () => {
    announce(describe(now));
    changed(now);
  };

  const units = (event, from) => {
    const box = stage.getBoundingClientRect();
    return [((event.clientX - from.x) * limits.width) / box.width, ((event.clientY - from.y) * limits.height) / box.height];
  };
  const drag = (event, start, move) => {
    const from = { x: event.clientX, y: event.clientY };
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    let isMoved = false;
    const follow = (later) => {
      const [x, y] = units(later, from);
      if (!isMoved && Math.hypot(later.clientX - from.x, later.clientY - from.y) < 4) return;
      isMoved = true;
      stage.classList.add("selecting");
      show(move(start, x, y));
    };
    const end = () => {
      stage.removeEventListener("pointermove", follow);
      stage.removeEventListener("pointerup", end);
      stage.removeEventListener("pointercancel", end);
      stage.classList.remove("selecting");
      if (isMoved) done();
    };
    stage.addEventListener("pointermove", follow);
    stage.addEventListener("pointerup", end);
    stage.addEventListener("pointercancel", end);
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const { edge } = event.target.dataset;
    if (edge) drag(event, { ...now }, (start, x, y) => resized(start, edge, x, y, limits, least));
    else if (event.target === element && isOwn(now)) {
      drag(event, { ...now }, (start, x, y) => moved(start, x, y, limits));
    } else if (event.pointerType !== "touch") {
      // A finger beside the handles scrolls.
      const box = stage.getBoundingClientRect();
      const [left, top] = units(event, { x: box.left, y: box.top });
      drag(event, { left, top, width: 0, height: 0 }, (start, x, y) => drawn(start, x, y, limits, least));
    }
    element.focus({ preventScroll: true });
  });
  element.addEventListener("keydown", (event) => {
    const [x, y] = KEYS[event.key] ?? [0, 0];
    if (!x && !y) return;
    event.preventDefault();
    const step = event.shiftKey ? steps[1] : steps[0];
    const resize = event.altKey || event.ctrlKey || event.metaKey;
    show(resize ? resized(now, "se", x * step, y * step, limits, least) : moved(now, x * step, y * step, limits));
    done();
  });
  return { element, show };
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Return *start* moved, as far as the limits allow. */
export function moved(start, x, y, limits) {
  return {
    ...start,
    left: clamp(start.left + x, 0, limits.width - start.width),
    top: clamp(start.top + y, 0, limits.height - start.height),
  };
}

/** Return *start* with an edge or corner moved: n, e, s, w, ne, se, sw, nw. */
export function resized(start, edge, x, y, limits, least) {
  let { left, top } = start;
  let [right, bottom] = [left + start.width, top + start.height];
  if (edge.includes("w")) left = clamp(left + x, 0, right - least);
  if (edge.includes("e")) right = clamp(right + x, left + least, limits.width);
  if (edge.includes("n")) top = clamp(top + y, 0, bottom - least);
  if (edge.includes("s")) bottom = clamp(bottom + y, top + least, limits.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** Return the rectangle between a corner and one that is *x*, *y* away. */
export function drawn(start, x, y, limits, least) {
  const [x1, x2] = [start.left, start.left + x].sort((a, b) => a - b);
  const [y1, y2] = [start.top, start.top + y].sort((a, b) => a - b);
  const left = clamp(x1, 0, limits.width - least);
  const top = clamp(y1, 0, limits.height - least);
  const width = clamp(x2 - left, least, limits.width - left);
  const height = clamp(y2 - top, least, limits.height - top);
  return { left, top, width, height };
}
