// What the page knows, and who wants to be told when it changes.

import { kept } from "./dom.js";

export const state = {
  session: { user: "", needed: false },
  info: { version: "", features: {} },
  scanners: null, // null: not yet known
  scannerId: kept.read("scanner", ""),
  capabilities: null, // of the chosen scanner
  settings: null, // source, mode, resolution, paper, area, work, profile
  preview: null, // {scannerId, source, url}
  document: null, // the one that pages are added to
  documents: null,
  documentId: kept.read("document", ""),
  changes: 0, // of the document that are on their way
  job: null, // the page's own job while it runs
  problem: null, // what to show above the pages: {code, holder, text, job}
  profiles: [],
  destinations: null,
  isConnected: true,
  tab: "preview",
};

let listeners = [];
let changed = new Set();

/** Call *told* now, and after each change of one of *names*, until the function returned is called. */
export function watch(names, told) {
  const listener = { names, told };
  listeners.push(listener);
  told();
  return () => {
    listeners = listeners.filter((one) => one !== listener);
  };
}

/** Take over *values* and tell whoever watches them, once, when this turn of the loop is over. */
export function set(values) {
  if (!changed.size) queueMicrotask(tell);
  for (const [name, value] of Object.entries(values)) {
    state[name] = value;
    changed.add(name);
  }
  if ("scannerId" in values) kept.write("scanner", values.scannerId);
  if ("document" in values) {
    state.documentId = values.document?.id ?? "";
    kept.write("document", state.documentId);
  }
}

function tell() {
  const names = changed;
  changed = new Set();
  for (const { names: wanted, told } of [...listeners]) {
    if (wanted.some((name) => names.has(name))) told();
  }
}

/** Forget who watches: the page is built anew. */
export function forgetWatchers() {
  listeners = [];
}

/** The chosen scanner, or null. */
export const scanner = () => state.scanners?.find((one) => one.id === state.scannerId) ?? null;

/** The chosen source of the chosen scanner, or null. */
export const source = () =>
  state.capabilities?.sources.find((one) => one.id === state.settings?.source) ?? null;
