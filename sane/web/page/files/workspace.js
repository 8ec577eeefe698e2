// Beside the panel: the glass or the pages, with the document's title and what is done with it.

import { patch, post } from "./api.js";
import { askFor } from "./dialogs.js";
import { button, fill, h, icon, iconButton, newId, toast } from "./dom.js";
import { notices } from "./notices.js";
import { pages } from "./pages.js";
import { glass } from "./preview.js";
import { set, source, state, watch } from "./state.js";
import { explain, load, moment, t } from "./words.js";

/** Build the workspace. */
export function workspace() {
  const id = newId("workspace");
  const views = { preview: h("div", { role: "tabpanel", tabindex: -1 }, glass()), pages: h("div", { role: "tabpanel", tabindex: -1 }, pages()) };
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": t("workspace") });
  const buttons = {};
  for (const name of ["preview", "pages"]) {
    const tab = h("button", { type: "button", role: "tab", id: newId("tab"), onclick: () => set({ tab: name }) });
    tab.addEventListener("keydown", (event) => arrow(event, buttons));
    buttons[name] = tab;
    views[name].id = newId("view");
    views[name].setAttribute("aria-labelledby", tab.id);
    tab.setAttribute("aria-controls", views[name].id);
    tabs.append(tab);
  }
  watch(["tab", "document", "settings"], () => showTabs(buttons, views));
  const head = h("div", { class: "workspace-head" });
  watch(["document"], () => showHead(head));
  const bar = h("div", { class: "bar" }, tabs, head);
  let wasRunning = false;
  watch(["job"], () => {
    const isRunning = Boolean(state.job);
    if (isRunning && !wasRunning && bar.getBoundingClientRect().bottom > innerHeight * 0.6) bar.scrollIntoView();
    wasRunning = isRunning;
  });
  return h(
    "section",
    { class: "workspace", "aria-labelledby": id },
    h("h2", { id, class: "unseen" }, t("workspace")),
    notices(),
    bar,
    Object.values(views)
  );
}

function showTabs(buttons, views) {
  const count = state.document?.pages.length ?? 0;
  const hasGlass = !state.settings || source()?.id === "platen";
  const tab = hasGlass ? state.tab : "pages";
  fill(buttons.preview, icon("glass"), h("span", {}, t("glass")));
  fill(buttons.pages, icon("pages"), h("span", {}, t("pages")), count ? h("b", { class: "count" }, String(count)) : null);
  buttons.preview.hidden = !hasGlass;
  for (const [name, one] of Object.entries(buttons)) {
    one.setAttribute("aria-selected", name === tab);
    one.tabIndex = name === tab ? 0 : -1;
    views[name].hidden = name !== tab;
  }
}

function arrow(event, buttons) {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const other = state.tab === "preview" ? "pages" : "preview";
  if (buttons[other].hidden) return;
  set({ tab: other });
  buttons[other].focus();
}

function showHead(head) {
  const { document: current } = state;
  if (!current?.pages.length) return fill(head);
  return fill(
    head,
    h(
      "button",
      { type: "button", class: "title", title: t("document.rename"), onclick: () => rename(current) },
      h("span", { class: "unseen" }, `${t("document.rename")}: `),
      h("span", { class: "title-text" }, titleOf(current)),
      icon("pen")
    ),
    iconButton("new", t("document.new"), { onclick: () => set({ document: null, tab: "preview", problem: null }) }),
    button("save", t("save"), { class: "button primary", onclick: () => save(current) })
  );
}

async function save(current) {
  const saving = await load(() => import("./save.js"));
  saving?.openSave(current);
}

/** The title of a document, or when it was made. */
export const titleOf = (one) => one.title || moment(one.created);

/** Ask for another title. */
export async function rename(one) {
  const title = await askFor(t("document.rename"), t("document.title"), one.title, t("save"));
  if (!title) return;
  try {
    const changed = await patch(["documents", one.id], { title });
    if (state.document?.id === one.id) set({ document: changed });
    set({ documents: state.documents?.map((other) => (other.id === one.id ? changed : other)) ?? null });
  } catch (problem) {
    toast(explain(problem).title, "bad");
  }
}

/** Make an empty document. */
export const newDocument = () => post(["documents"], {});
