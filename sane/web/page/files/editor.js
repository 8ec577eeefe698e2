// One page in full: turn it, cut it, scan it again, delete it, go to the next.

import { changePage, deletePage, turn } from "./changes.js";
import { button, fill, h, iconButton } from "./dom.js";
import { scan } from "./jobs.js";
import { picture, shownSize, toScanned, toShown } from "./picture.js";
import { selection } from "./selection.js";
import { scanner, state, watch } from "./state.js";
import { number, percent, t } from "./words.js";

const WHOLE = { left: 0, top: 0, width: 1, height: 1 };
const LEAST = 0.02; // of a side

const isWhole = ({ width, height }) => width > 0.999 && height > 0.999;

let opened = null; // {id, cutting, dialog}

/** Open the editor on a page. */
export function openEditor(id) {
  const stage = h("div", { class: "editor-stage" });
  const title = h("h2", { id: "editor-title" });
  const facts = h("p", { class: "editor-facts" });
  const tools = h("div", { class: "editor-tools", role: "group", "aria-label": t("page.tools") });
  const dialog = h(
    "dialog",
    { class: "editor", "aria-labelledby": "editor-title" },
    h(
      "div",
      { class: "editor-head" },
      h("div", {}, title, facts),
      iconButton("back", t("page.previous"), { class: "button bare previous", onclick: () => step(-1) }),
      iconButton("next", t("page.next"), { class: "button bare next", onclick: () => step(1) }),
      iconButton("close", t("close"), { onclick: () => dialog.close() })
    ),
    stage,
    tools
  );
  opened = { id, cutting: null, dialog, stage, title, facts, tools };
  dialog.addEventListener("close", () => {
    opened.unwatch();
    const page = document.querySelector(`li[data-page="${opened.id}"] .page-sheet`);
    opened = null;
    dialog.remove();
    page?.focus();
  });
  dialog.addEventListener("cancel", (event) => {
    if (!opened.cutting) return;
    event.preventDefault(); // Escape leaves the cutting first
    cut(null);
  });
  dialog.addEventListener("keydown", (event) => {
    if (opened.cutting || event.target.matches("input, select")) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  document.body.append(dialog);
  opened.unwatch = watch(["document", "job"], show);
  dialog.showModal();
}

const here = () => state.document?.pages.findIndex((page) => page.id === opened.id) ?? -1;

function step(by) {
  const next = state.document.pages[here() + by];
  if (!next) return;
  opened.id = next.id;
  cut(null);
}

function cut(crop) {
  opened.cutting = crop;
  show();
}

function show() {
  if (!opened) return;
  const at = here();
  if (at < 0) {
    goOn();
    return;
  }
  const page = state.document.pages[at];
  const count = state.document.pages.length;
  opened.title.textContent = t("page.of", { n: at + 1, count });
  const [width, height] = shownSize(page);
  opened.facts.textContent = `${number(Math.round(width))} × ${number(Math.round(height))} px · ${t("resolution.dpi", { dpi: page.dpi })}`;
  if (page.note) opened.facts.append(h("span", { class: "detail", lang: "en" }, page.note));
  opened.dialog.querySelector(".previous").disabled = at === 0;
  opened.dialog.querySelector(".next").disabled = at === count - 1;
  showStage(page, at);
  showTools(page, at);
}

function goOn() {
  const { next } = opened;
  opened.next = null;
  if (!next) return opened.dialog.close();
  opened.id = next;
  return show();
}

function showStage(page, at) {
  const { stage, cutting } = opened;
  const key = JSON.stringify([page, Boolean(cutting)]);
  if (stage.dataset.key === key) return;
  stage.dataset.key = key;
  const crop = cutting ? WHOLE : page.crop ?? WHOLE;
  const shown = picture(state.document.id, page, { size: "screen", crop, alt: t("page.alt", { n: at + 1 }) });
  fill(stage, shown);
  if (!cutting) return;
  const select = selection(shown, {
    limits: { width: 1, height: 1 },
    least: LEAST,
    steps: [0.005, 0.05],
    label: t("page.cut.area"),
    describe: ({ width, height }) => `${percent(width)} × ${percent(height)}`,
    isOwn: (one) => !isWhole(one),
    changed: (one) => {
      opened.cutting = toScanned(one, page.rotate);
    },
  });
  select.show(toShown(cutting, page.rotate));
  select.element.focus();
}

function showTools(page, at) {
  const { tools, cutting } = opened;
  const role = tools.contains(document.activeElement) ? document.activeElement.dataset.role : "";
  fill(tools, cutting ? cuttingTools(page) : pageTools(page, at));
  if (role) tools.querySelector(`[data-role=${role}]`)?.focus();
}

const tool = (role, iconName, text, onclick, rest = {}) =>
  button(iconName, text, { class: "button tool", "data-role": role, onclick, ...rest });

function pageTools(page, at) {
  return [
    tool("left", "turn-left", t("page.turnLeft"), () => turn(page, -90)),
    tool("right", "turn", t("page.turnRight"), () => turn(page, 90)),
    tool("cut", "crop", t("page.cut"), () => cut(page.crop ?? WHOLE)),
    tool("again", "again", t("page.again"), () => scanAgain(page), { disabled: !state.settings || !scanner() || Boolean(state.job) }),
    tool("delete", "trash", t("delete"), () => discard(page, at), { class: "button tool danger-text" }),
  ];
}

function cuttingTools(page) {
  const keep = (crop) => {
    cut(null);
    opened.tools.querySelector("[data-role=cut]").focus();
    changePage(page, { crop });
  };
  return [
    tool("cancel", "close", t("cancel"), () => cut(null), { class: "button" }),
    page.crop ? tool("whole", "pages", t("page.cut.whole"), () => keep(null), { class: "button" }) : null,
    tool("apply", "check", t("page.cut.apply"), () => keep(isWhole(opened.cutting) ? null : opened.cutting), { class: "button primary" }),
  ];
}

async function scanAgain(page) {
  opened.dialog.close();
  await scan({ replace: page.id });
}

async function discard(page, at) {
  const { pages } = state.document;
  const next = pages[at + 1] ?? pages[at - 1];
  opened.next = next?.id; // shown when the page is gone
  await deletePage(page, at + 1);
}
