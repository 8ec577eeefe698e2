// The documents scanned before.

import { get, post, remove } from "./api.js";
import { confirm } from "./dialogs.js";
import { button, fill, h, icon, iconButton, toast } from "./dom.js";
import { picture } from "./picture.js";
import { fetchDestinations, openSave } from "./save.js";
import { set, state, watch } from "./state.js";
import { explain, moment, t } from "./words.js";
import { rename, titleOf } from "./workspace.js";

/** Fetch the documents, newest first. */
export async function fetchDocuments() {
  try {
    const answer = await get("documents");
    const documents = [...(answer.documents ?? answer)].sort((a, b) => (a.created < b.created ? 1 : -1));
    set({ documents });
  } catch (problem) {
    if (problem.code !== "lost" && problem.status !== 401) toast(explain(problem).title, "bad");
  }
}

/** Build the view of the documents. */
export function filesView() {
  const list = h("ul", { class: "cards files" });
  const empty = h("div", {});
  watch(["documents", "destinations"], () => {
    const found = state.documents?.filter((one) => one.pages.length) ?? [];
    fill(list, found.map(card));
    list.hidden = !found.length;
    fill(empty, state.documents && !found.length ? none() : null);
  });
  fetchDocuments();
  if (!state.destinations) fetchDestinations();
  return h("div", { class: "view" }, h("h1", {}, t("files")), list, empty);
}

function card(one) {
  const title = titleOf(one);
  return h(
    "li",
    { class: "card file" },
    h(
      "button",
      { type: "button", class: "file-open", "aria-label": t("file.open", { title }), onclick: () => open(one) },
      h("span", { class: `file-stack${one.pages.length > 1 ? " several" : ""}` }, picture(one.id, one.pages[0]))
    ),
    h(
      "div",
      { class: "file-text" },
      h("h2", {}, title),
      h("p", {}, [one.title && moment(one.created), t("pages.count", { n: one.pages.length })].filter(Boolean).join(" · ")),
      (one.deliveries ?? []).map(delivery)
    ),
    h(
      "div",
      { class: "file-tools" },
      button("save", t("save"), { class: "button small", onclick: () => openSave(one) }),
      iconButton("pen", t("file.rename", { title }), { onclick: () => rename(one) }),
      iconButton("trash", t("file.delete", { title }), { onclick: () => discard(one, title) })
    )
  );
}

function delivery(one) {
  const name = state.destinations?.find((other) => other.name === one.destination)?.title || one.destination;
  const kind = { done: "ready", failed: "bad" }[one.state] ?? "busy";
  const failed = one.state === "failed";
  const waits = one.state === "waiting" && one.attempts > 0;
  const text = t(waits ? "delivery.again" : `delivery.${one.state}`, { name, n: one.attempts ?? 0 });
  return [
    h("p", { class: `state ${kind}` }, text),
    one.error && one.state !== "done" ? h("p", { class: "detail", lang: "en" }, one.error.text ?? one.error) : null,
    failed ? button("again", t("again"), { class: "button small", onclick: () => sendAgain(one) }) : null,
  ];
}

async function sendAgain(one) {
  try {
    await post(["deliveries", one.id, "retry"]);
  } catch (problem) {
    toast(explain(problem).title, "bad");
  }
  await fetchDocuments();
}

function open(one) {
  set({ document: one, tab: "pages", problem: null });
  location.hash = "#/scan";
}

async function discard(one, title) {
  if (!(await confirm(t("file.delete", { title }), t("file.delete.sure", { title, n: one.pages.length }), t("delete")))) return;
  try {
    await remove("documents", one.id);
  } catch (problem) {
    toast(explain(problem).title, "bad");
  }
  if (state.document?.id === one.id) set({ document: null });
  await fetchDocuments();
}

function none() {
  return h("div", { class: "empty" }, icon("archive"), h("h2", {}, t("files.none")), h("p", {}, t("files.none.help")), h("a", { class: "button primary", href: "#/scan" }, icon("scan"), h("span", {}, t("scan"))));
}
