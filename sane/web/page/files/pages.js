// The pages of the document: they appear as they come, are put in order, and open to be changed.

import { deletePage, keepOrder, turn } from "./changes.js";
import { fill, h, icon, iconButton, setStyle } from "./dom.js";
import { picture } from "./picture.js";
import { reorderable } from "./reorder.js";
import { source, state, watch } from "./state.js";
import { load, number, percent, t } from "./words.js";

/** Build the list of pages. */
export function pages() {
  const list = h("ol", { class: "pages" });
  const empty = h("div", {});
  const move = reorderable(list, keepOrder);
  const coming = h("li", { class: "coming" });
  const known = new Map(); // page id: {key, item}
  const show = () => {
    const shown = state.document?.pages ?? [];
    const items = shown.map((page, at) => itemFor(known, page, at, shown.length, move));
    const scans = state.job?.kind === "scan" && !state.job.replace;
    const wanted = scans ? [...items, coming] : items;
    if (wanted.length !== list.children.length || wanted.some((item, at) => list.children[at] !== item)) {
      const focused = list.contains(document.activeElement) ? document.activeElement : null;
      list.replaceChildren(...wanted);
      if (focused?.isConnected) focused.focus();
    }
    if (scans) showComing(coming, shown.length + 1);
    list.hidden = !wanted.length;
    fill(empty, wanted.length ? null : nothingYet());
  };
  watch(["document", "job"], show);
  return h("div", { class: "pages-view" }, list, empty);
}

async function edit(id) {
  const editor = await load(() => import("./editor.js"));
  editor?.openEditor(id);
}

function itemFor(known, page, at, count, move) {
  const key = JSON.stringify([page.id, page.rotate, page.crop, page.width, page.height, page.bytes]);
  let entry = known.get(page.id);
  if (entry?.key !== key) {
    const item = h("li", { "data-page": page.id, class: entry ? "" : "arrived" });
    entry = { key, item };
    known.set(page.id, entry);
  }
  const place = `${at} ${count} ${state.job?.replace === page.id}`;
  if (entry.place !== place) {
    const within = entry.item.contains(document.activeElement) ? document.activeElement.dataset.role : "";
    fill(entry.item, content(page, at, count, entry.item, move));
    entry.place = place;
    if (within) entry.item.querySelector(`[data-role=${within}]`)?.focus();
  }
  return entry.item;
}

function content(page, at, count, item, move) {
  const n = at + 1;
  const id = state.document.id;
  const again = state.job?.replace === page.id;
  return [
    h(
      "button",
      { type: "button", class: `page-sheet${again ? " scanning" : ""}`, "data-role": "open", "aria-label": t("page.open", { n, count }), onclick: () => edit(page.id) },
      picture(id, page),
      again ? h("span", { class: "beam", "aria-hidden": "true" }) : null
    ),
    h(
      "div",
      { class: "page-tools" },
      count > 1
        ? iconButton("grip", t("page.move", { n, count }), { class: "button bare grip", "data-role": "grip", onkeydown: (event) => move(event, item) })
        : null,
      h("span", { class: "page-number", "aria-hidden": "true" }, number(n)),
      iconButton("turn", t("page.turn", { n }), { "data-role": "turn", onclick: () => turn(page, 90) }),
      iconButton("trash", t("page.delete", { n }), { "data-role": "delete", onclick: () => deletePage(page, n) })
    ),
  ];
}

function showComing(coming, n) {
  const { job } = state;
  const hasProgress = typeof job.progress === "number";
  const isWorking = job.state === "working";
  if (!coming.firstChild) {
    fill(
      coming,
      h("div", { class: "page-sheet scanning" }, h("span", { class: "beam", "aria-hidden": "true" })),
      h("p", { class: "page-tools" }, h("span", { class: "coming-text" })),
      h("progress", { class: "progress", max: 1, "aria-label": t("scan.progress") })
    );
  }
  const area = job.area ?? paperSize(job.paper);
  setStyle(coming.firstChild, { "--ratio": `${area.width_mm} / ${area.height_mm}`, "--done": hasProgress ? job.progress : 0 });
  coming.classList.toggle("with-progress", hasProgress);
  const text = isWorking ? t("scan.working") : t("scan.page", { n });
  coming.querySelector(".coming-text").textContent = hasProgress && !isWorking ? `${text} · ${percent(job.progress)}` : text;
  const bar = coming.querySelector("progress");
  if (hasProgress) bar.value = job.progress;
  else bar.removeAttribute("value");
}

const paperSize = (paper) =>
  state.capabilities?.papers.find((one) => one.id === paper) ?? source() ?? { width_mm: 210, height_mm: 297 };

function nothingYet() {
  return h("div", { class: "empty" }, icon("pages"), h("h3", {}, t("pages.none")), h("p", {}, t("pages.none.help")));
}
