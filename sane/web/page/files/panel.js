// The panel beside the pages: which scanner, with which settings, and the buttons that start it.

import { change, MODES, papersOf, WORK } from "./capabilities.js";
import { button, fill, h, icon, kept, newId } from "./dom.js";
import { cancel, preview, scan } from "./jobs.js";
import { profileRow } from "./profiles.js";
import { stateOf } from "./scanners.js";
import { scanner, source, state, watch } from "./state.js";
import { number, t } from "./words.js";

const SOURCE_ICONS = { platen: "glass", adf: "feeder", "adf-duplex": "duplex" };

/** Build the panel. */
export function panel() {
  const id = newId("panel");
  const card = h("div", { class: "scanner-slot" });
  const form = h("div", { class: "fields" });
  const actions = h("div", { class: "actions" });
  watch(["scanners", "scannerId"], () => fill(card, scannerCard()));
  watch(["capabilities"], () => fill(form, state.capabilities ? fields() : waiting()));
  watch(["settings", "job", "scanners", "capabilities"], () => showActions(actions));
  return h(
    "section",
    { class: "panel", "aria-labelledby": id },
    h("h2", { id, class: "unseen" }, t("settings.scan")),
    card,
    form,
    actions
  );
}

function scannerCard() {
  const chosen = scanner();
  if (!chosen) return h("a", { class: "scanner-card", href: "#/scanners" }, icon("scanner"), h("strong", {}, t(state.scanners ? "scanner.choose" : "scanner.looking")));
  const { kind, text } = stateOf(chosen);
  return h(
    "a",
    { class: "scanner-card", href: "#/scanners", title: t("scanner.change") },
    icon("scanner"),
    h("span", { class: "scanner-name" }, h("strong", {}, chosen.title), h("small", { class: `state ${kind}` }, text)),
    state.scanners.length > 1 ? h("span", { class: "chevron" }, icon("chevron"), h("span", { class: "unseen" }, t("scanner.change"))) : null
  );
}

const waiting = () => [0, 1, 2].map(() => h("div", { class: "skeleton", "aria-hidden": "true" }));

/** One of few choices, side by side. */
export function choices(name, label, options, { value, onchange, icons = {} }) {
  const group = newId(name);
  return h(
    "fieldset",
    { class: "field" },
    h("legend", { class: "label" }, label),
    h(
      "div",
      { class: "choices" },
      options.map(([key, text]) =>
        h(
          "label",
          { class: "choice" },
          h("input", { type: "radio", name: group, value: key, checked: key === value, onchange: () => onchange(key) }),
          icons[key] ? icon(icons[key]) : null,
          h("span", {}, text)
        )
      )
    )
  );
}

/** One of several choices, in a list that opens. */
export function select(label, options, { value, onchange }) {
  const id = newId("select");
  const list = h(
    "select",
    { id, class: "input", onchange: () => onchange(list.value) },
    options.map(([key, text]) => h("option", { value: key, selected: String(key) === String(value) }, text))
  );
  return h("div", { class: "field" }, h("label", { class: "label", for: id }, label), list);
}

/** A setting that is on or off. */
export function toggle(label, { value, onchange, hint }) {
  const input = h("input", { type: "checkbox", role: "switch", checked: value, onchange: () => onchange(input.checked) });
  return h(
    "label",
    { class: "toggle" },
    h("span", {}, label, hint ? h("small", {}, hint) : null),
    input,
    h("i", { "aria-hidden": "true" })
  );
}

function fields() {
  const slots = ["source", "mode", "resolution", "paper", "work"].map((name) => h("div", { class: `slot slot-${name}` }));
  const [sources, modes, resolutions, papers, work] = slots;
  const shown = {};
  const refresh = (name, slot, key, build) => {
    if (shown[name] === key) return; // what has the focus stays
    shown[name] = key;
    fill(slot, build());
  };
  watch(["settings"], () => {
    const { settings, capabilities } = state;
    const chosen = source();
    if (!settings || !chosen) return;
    refresh("source", sources, settings.source, () => sourceField(capabilities, settings));
    refresh("mode", modes, `${chosen.id} ${settings.mode}`, () => modeField(chosen, settings));
    refresh("resolution", resolutions, `${chosen.id} ${settings.resolution}`, () => resolutionField(chosen, settings));
    refresh("paper", papers, `${chosen.id} ${settings.paper}`, () => paperField(capabilities, chosen, settings));
    refresh("work", work, `${chosen.id} ${Object.keys(settings.work)}`, () => workField(chosen, settings));
  });
  const size = h("div", { class: "two" }, resolutions, papers);
  const more = h("div", { class: "more", id: newId("more") }, size, profileRow(), work);
  return [sources, modes, moreButton(more), more];
}

// On small screens the rarer settings are folded away.
function moreButton(more) {
  const show = (isOpen) => {
    kept.write("more", isOpen);
    more.classList.toggle("open", isOpen);
    one.setAttribute("aria-expanded", isOpen);
  };
  const toggleMore = () => show(!more.classList.contains("open"));
  const one = h("button", { type: "button", class: "more-button", "aria-controls": more.id, onclick: toggleMore }, t("settings.more"));
  show(kept.read("more", false));
  return one;
}

function keepingFocus(act) {
  const was = document.activeElement;
  const { name, value, id } = was ?? {};
  act();
  queueMicrotask(() => {
    if (was?.isConnected) return;
    const again = name && document.querySelector(`.panel input[value="${CSS.escape(value)}"]:checked`);
    (again || (id && document.getElementById(id)))?.focus();
  });
}

const setting = (name) => (value) => keepingFocus(() => change({ [name]: value }));

function sourceField(capabilities, settings) {
  if (capabilities.sources.length < 2) return [];
  const options = capabilities.sources.map((one) => [one.id, t(`source.${one.id}`)]);
  return choices("source", t("source"), options, { value: settings.source, onchange: setting("source"), icons: SOURCE_ICONS });
}

function modeField(chosen, settings) {
  const options = MODES.filter((mode) => chosen.modes.includes(mode)).map((mode) => [mode, t(`mode.${mode}`)]);
  const icons = { color: "color", gray: "gray", lineart: "lineart" };
  return choices("mode", t("mode"), options, { value: settings.mode, onchange: setting("mode"), icons });
}

function resolutionField(chosen, settings) {
  const hints = { 75: "screen", 150: "draft", 300: "text", 600: "photo" };
  const options = chosen.resolutions.map((dpi) => {
    const text = t("resolution.dpi", { dpi });
    return [dpi, hints[dpi] ? `${text} · ${t(`resolution.${hints[dpi]}`)}` : text];
  });
  return select(t("resolution"), options, { value: settings.resolution, onchange: (value) => change({ resolution: Number(value) }) });
}

function paperField(capabilities, chosen, settings) {
  const options = papersOf(capabilities, chosen).map((paper) => [paper.id, paperName(paper.id)]);
  options.push(["max", t("paper.max")]);
  if (settings.paper === "area") options.push(["area", t("paper.area")]);
  return select(t("paper"), options, { value: settings.paper, onchange: (paper) => change({ paper, area: null }) });
}

const paperName = (id) => (/^[abc]\d/.test(id) ? id.toUpperCase() : id[0].toUpperCase() + id.slice(1).replace(/[-_]/g, " "));

function workField(chosen, settings) {
  if (state.info.features?.work === false) return [];
  const names = WORK.filter((name) => name !== "blank" || chosen.id !== "platen");
  return h(
    "fieldset",
    { class: "field" },
    h("legend", { class: "label" }, t("work")),
    names.map((name) =>
      toggle(t(`work.${name}`), {
        value: Boolean(settings.work[name]),
        onchange: (on) => keepingFocus(() => change({ work: { ...settings.work, [name]: on } })),
      })
    )
  );
}

function showActions(actions) {
  const { job } = state;
  const { source: name, mode, resolution } = state.settings ?? {};
  const key = [Boolean(job), job?.isStopping, Boolean(scanner()), name, mode, resolution].join();
  if (actions.dataset.key === key) return; // a button that is being pressed stays
  actions.dataset.key = key;
  const focused = actions.contains(document.activeElement) ? document.activeElement.className : "";
  const isReady = Boolean(state.settings && scanner());
  const stopping = Boolean(job?.isStopping);
  const buttons = job
    ? [button("stop", t(stopping ? "scan.stopping" : "scan.stop"), { class: "button wide stop", disabled: stopping, onclick: cancel })]
    : [
        isReady && state.settings.source === "platen"
          ? button("preview", t("preview"), { class: "button preview-button", onclick: () => preview() })
          : null,
        button("scan", t("scan"), { class: "button primary scan-button", disabled: !isReady, onclick: () => scan() }),
      ];
  fill(actions, isReady ? summary() : null, h("div", { class: "buttons" }, buttons));
  if (focused) actions.querySelector(".stop, .scan-button")?.focus();
}

function summary() {
  const { settings } = state;
  const parts = [t(`source.${settings.source}`), t(`mode.${settings.mode}`), t("resolution.dpi", { dpi: number(settings.resolution) })];
  return h("p", { class: "summary", "aria-hidden": "true" }, parts.join(" · "));
}
