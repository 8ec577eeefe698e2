// The list of scanners, and what is said of their state.

import { chooseScanner } from "./capabilities.js";
import { fill, h, icon } from "./dom.js";
import { set, state, watch } from "./state.js";
import { explain, t } from "./words.js";

/** Return what a scanner is doing: kind is ready, busy or bad, text says it. */
export function stateOf(scanner) {
  if (scanner.state === "unreachable") return { kind: "bad", text: t("state.unreachable") };
  if (scanner.state === "busy") return { kind: "busy", text: explain({ code: "busy", holder: scanner.holder }).title };
  if (scanner.state === "scanning") return { kind: "busy", text: t("state.scanning") };
  if (scanner.problem && scanner.problem !== "no-documents") return { kind: "bad", text: explain({ code: scanner.problem }).title };
  if (scanner.feeder === "loaded") return { kind: "ready", text: t("state.loaded") };
  return { kind: "ready", text: t("state.ready") };
}

/** Build the view of all scanners. */
export function scannersView() {
  const list = h("ul", { class: "cards scanners" });
  const empty = h("div", {});
  watch(["scanners", "scannerId"], () => {
    const found = state.scanners ?? [];
    fill(list, found.map(card));
    list.hidden = !found.length;
    fill(empty, found.length ? null : state.scanners ? nothingFound() : lookingFor());
  });
  return h("div", { class: "view narrow" }, h("h1", {}, t("scanner.choose")), list, empty);
}

function card(scanner) {
  const { kind, text } = stateOf(scanner);
  const isChosen = scanner.id === state.scannerId;
  const product = [scanner.vendor, scanner.model].filter(Boolean).join(" ");
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "card scanner", "aria-current": isChosen ? "true" : null, onclick: () => choose(scanner) },
      h("span", { class: "card-icon" }, icon("scanner")),
      h(
        "span",
        { class: "card-text" },
        h("strong", {}, scanner.title),
        product === scanner.title ? null : h("small", {}, product),
        h("small", { class: `state ${kind}` }, text)
      ),
      isChosen ? icon("check") : icon("chevron")
    )
  );
}

async function choose(scanner) {
  location.hash = "#/scan";
  await choosing(scanner.id);
}

/** Choose a scanner; what goes wrong is shown above its pages. */
export async function choosing(id) {
  try {
    await chooseScanner(id);
  } catch (problem) {
    set({ problem: { code: problem.code ?? "failed", text: problem.text, holder: problem.holder, kind: "open" } });
  }
}

const lookingFor = () => h("div", { class: "empty", role: "status" }, icon("scanner"), h("h2", {}, t("scanner.looking")));

function nothingFound() {
  return h(
    "div",
    { class: "empty" },
    icon("scanner"),
    h("h2", {}, t("scanner.none")),
    h("p", {}, t("scanner.none.help"))
  );
}
