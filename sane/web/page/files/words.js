// What the page says: the words of the chosen language, numbers, dates, and problems.

import { toast } from "./dom.js";

const start = window.pysaneStart;
export const LANGUAGES = start.LANGUAGES;

let language = start.language;
let words = {};

/** Wait for the words of the chosen language; true when they are others than before. */
export async function loadWords() {
  const wanted = start.chooseLanguage();
  const changed = wanted !== language;
  words = await (changed ? start.load(wanted) : start.words);
  if (changed) start.words = Promise.resolve(words);
  language = wanted;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  return changed;
}

/** Return the text named *key*, {names} replaced; where it has plural forms, by values.n. */
export function t(key, values = {}) {
  let text = words[key];
  if (text === undefined) return key;
  if (typeof text === "object") {
    text = text[new Intl.PluralRules(language).select(values.n)] ?? text.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : String(value);
  });
}

/** Tell whether the language has a text named *key*. */
export const has = (key) => key in words;

/** Return *value* as people here write numbers. */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

export const percent = (value) =>
  new Intl.NumberFormat(language, { style: "percent" }).format(value);

// The country of the browser's language says in which order a date is written.
const locale = () => navigator.languages.find((name) => name.startsWith(language)) ?? language;

/** Return an ISO time as a date and time of day. */
export const moment = (iso) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));

/** Return bytes as a size: 1.2 MB. */
export function size(bytes) {
  const [unit, factor] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  const digits = unit === "kilobyte" ? 0 : 1;
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: digits }).format(
    Math.max(bytes / factor, unit === "kilobyte" ? 1 : 0)
  );
}

/** Load a part of the page that comes later; resolves to null, and says so, without the server. */
export async function load(part) {
  try {
    return await part();
  } catch {
    toast(explain({ code: "lost" }).title, "bad");
    return null;
  }
}

/** Return what happened and what to do, for a problem of the interface: {title, text}. */
export function explain(problem) {
  const code = has(`problem.${problem.code}`) ? problem.code : "failed";
  const values = { holder: problem.holder || t("holder.other"), text: problem.text || "" };
  if (values.holder === "another program") values.holder = t("holder.other");
  const title = t(`problem.${code}`, values);
  const text = t(`problem.${code}.help`, values).trim();
  return { title, text, detail: ["failed", "invalid", "unavailable"].includes(code) ? values.text : "" };
}
