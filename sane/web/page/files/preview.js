// The glass: its preview, and the part of it that is to be scanned.

import { change, wantedArea } from "./capabilities.js";
import { fill, h, icon, newId, setStyle } from "./dom.js";
import { selection } from "./selection.js";
import { source, state, watch } from "./state.js";
import { number, t } from "./words.js";

const LEAST = 5; // mm
const SIDES = ["left_mm", "top_mm", "width_mm", "height_mm"];

/** Build the view of the glass. */
export function glass() {
  const stage = h("div", { class: "stage" });
  const exact = h("div", { class: "exact" });
  const shown = h("div", { class: "glass-view" }, stage, exact);
  let showArea = () => {};
  let builtFor = "";
  watch(["capabilities", "preview"], () => {
    showArea = build(stage, exact);
    showArea();
  });
  watch(["settings"], () => {
    const now = `${state.scannerId} ${state.settings?.source}`;
    if (state.settings && now !== builtFor) showArea = build(stage, exact);
    builtFor = now;
    showArea();
  });
  watch(["job"], () => {
    const isRunning = state.job?.kind === "preview";
    shown.classList.toggle("running", isRunning);
    shown.setAttribute("aria-busy", isRunning);
  });
  return shown;
}

function build(stage, exact) {
  const chosen = source();
  if (!chosen || !state.settings) {
    fill(stage, h("div", { class: "bed skeleton", "aria-hidden": "true" }));
    fill(exact);
    return () => {};
  }
  const limits = { width: chosen.width_mm, height: chosen.height_mm };
  const bed = h("div", { class: "bed" });
  setStyle(bed, { "--ratio": `${limits.width} / ${limits.height}`, "--ratio-number": limits.width / limits.height });
  fill(bed, picture(), h("div", { class: "beam", "aria-hidden": "true" }));
  fill(stage, bed);
  const select = selection(bed, {
    limits,
    least: LEAST,
    steps: [1, 10],
    label: t("selection"),
    describe: ({ width, height }) => t("selection.size", { width: number(width), height: number(height) }),
    isOwn: () => state.settings?.paper === "area",
    changed: (one) => change({ paper: "area", area: asArea(one) }),
  });
  const showExact = fillExact(exact);
  return () => {
    if (!state.settings || !source()) return;
    const area = wantedArea();
    select.show({ left: area.left_mm, top: area.top_mm, width: area.width_mm, height: area.height_mm });
    showExact(area);
  };
}

const asArea = ({ left, top, width, height }) => {
  const round = (value) => Math.round(value * 10) / 10;
  return { left_mm: round(left), top_mm: round(top), width_mm: round(width), height_mm: round(height) };
};

function picture() {
  const { preview } = state;
  if (preview) return h("img", { class: "bed-picture", src: preview.url, alt: t("preview.alt"), draggable: "false" });
  return h(
    "div",
    { class: "bed-empty" },
    icon("glass"),
    h("p", {}, t("preview.none"))
  );
}

function fillExact(exact) {
  const inputs = SIDES.map((name) => {
    const id = newId(name);
    const input = h("input", { id, class: "input", type: "number", min: 0, step: 1, inputmode: "decimal" });
    input.addEventListener("change", () => {
      const area = { ...wantedArea(), [name]: Number(input.value) || 0 };
      change({ paper: "area", area });
    });
    return { name, input, field: h("div", { class: "field" }, h("label", { class: "label", for: id }, t(`area.${name}`)), input) };
  });
  const wasOpen = exact.querySelector("details")?.open;
  fill(exact, h("details", { open: wasOpen }, h("summary", {}, t("area.exact")), h("div", { class: "four" }, inputs.map((one) => one.field))));
  return (area) => {
    for (const { name, input } of inputs) input.value = Math.round(area[name] * 10) / 10;
  };
}
