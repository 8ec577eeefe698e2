// What a scanner can do, and which settings fit: choosing one keeps the others valid.

import { get } from "./api.js";
import { kept } from "./dom.js";
import { set, source, state } from "./state.js";

export const MODES = ["color", "gray", "lineart"];
export const WORK = ["deskew", "crop", "blank"];

/** Choose a scanner: fetch what it can do, take the settings it had last time. */
export async function chooseScanner(id) {
  set({ scannerId: id, capabilities: null, settings: null, preview: null, problem: null });
  const capabilities = await get("scanners", id, "capabilities");
  if (state.scannerId !== id) return; // another one was chosen meanwhile
  const wanted = { ...capabilities.defaults, work: {}, ...kept.read(`settings.${id}`, {}), area: null };
  if (wanted.paper === "area") wanted.paper = capabilities.defaults.paper;
  set({ capabilities, settings: fitting(capabilities, wanted) });
}

/** Take over some settings; what no longer fits moves to what is nearest. */
export function change(values) {
  const profile = "profile" in values ? values.profile : "";
  const wanted = { ...state.settings, ...values, profile };
  const isElsewhere = wanted.source !== state.settings.source;
  if (isElsewhere && !values.area && wanted.paper === "area") wanted.paper = state.capabilities.defaults.paper;
  const settings = fitting(state.capabilities, wanted);
  kept.write(`settings.${state.scannerId}`, { ...settings, area: null, profile: "" });
  const other = state.preview && state.preview.source !== settings.source;
  set(other ? { settings, preview: null } : { settings });
}

/** Return *wanted* with every value that the source does not have replaced by the nearest. */
export function fitting(capabilities, wanted) {
  const chosen = capabilities.sources.find((one) => one.id === wanted.source) ?? capabilities.sources[0];
  const nearest = (list, value) =>
    list.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best), list[0]);
  const papers = papersOf(capabilities, chosen).map((paper) => paper.id);
  let { paper } = wanted;
  if (paper === "area" && !wanted.area) paper = "max";
  if (!["max", "area", ...papers].includes(paper)) paper = papers[0] ?? "max";
  return {
    ...wanted,
    source: chosen.id,
    mode: chosen.modes.includes(wanted.mode) ? wanted.mode : chosen.modes[0],
    resolution: nearest(chosen.resolutions, wanted.resolution),
    paper,
    area: paper === "area" ? within(chosen, wanted.area) : null,
    work: Object.fromEntries(WORK.filter((name) => wanted.work?.[name]).map((name) => [name, true])),
  };
}

/** The papers that fit on a source, upright or not. */
export function papersOf(capabilities, chosen) {
  const slack = 1.5; // mm: glasses are often made a little short of their paper
  return capabilities.papers.filter(
    (paper) => paper.width_mm <= chosen.width_mm + slack && paper.height_mm <= chosen.height_mm + slack
  );
}

function within(chosen, area) {
  const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
  const width_mm = clamp(area.width_mm, chosen.min_width_mm ?? 1, chosen.width_mm);
  const height_mm = clamp(area.height_mm, chosen.min_height_mm ?? 1, chosen.height_mm);
  const tidy = (value) => Math.floor(value * 100 + 0.001) / 100;
  return {
    left_mm: tidy(clamp(area.left_mm, 0, chosen.width_mm - width_mm)),
    top_mm: tidy(clamp(area.top_mm, 0, chosen.height_mm - height_mm)),
    width_mm: tidy(width_mm),
    height_mm: tidy(height_mm),
  };
}

/** The part of the glass that the settings mean, in mm. */
export function wantedArea() {
  const chosen = source();
  const { paper, area } = state.settings;
  if (paper === "area" && area) return area;
  const size = state.capabilities.papers.find((one) => one.id === paper) ?? chosen;
  return {
    left_mm: 0,
    top_mm: 0,
    width_mm: Math.min(size.width_mm, chosen.width_mm),
    height_mm: Math.min(size.height_mm, chosen.height_mm),
  };
}

/** The settings as a job and a profile say them. */
export function asRequest() {
  const { source: name, mode, resolution, paper, area, work } = state.settings;
  const out = { source: name, mode, resolution };
  if (paper === "area") out.area = area;
  else out.paper = paper;
  if (Object.keys(work).length) out.work = work;
  return out;
}
