// What went wrong, above the pages: what happened, what to do, and a button that does it.

import { button, fill, h, icon, iconButton } from "./dom.js";
import { preview, scan } from "./jobs.js";
import { choosing } from "./scanners.js";
import { set, state, watch } from "./state.js";
import { explain, t } from "./words.js";

const ICONS = { "no-documents": "feeder", jammed: "jam", "cover-open": "cover", busy: "clock", unreachable: "unplugged", "disk-full": "disk", lost: "unplugged" };

/** Build the place of notices: the lost connection, and the last problem. */
export function notices() {
  const connection = h("div", { role: "status" });
  const problem = h("div", { role: "alert" });
  watch(["isConnected"], () => fill(connection, state.isConnected ? null : lost()));
  watch(["problem"], () => {
    fill(problem, state.problem ? shown(state.problem) : null);
    problem.firstChild?.scrollIntoView({ block: "nearest" });
  });
  return h("div", { class: "notices" }, connection, problem);
}

function lost() {
  const { title, text } = explain({ code: "lost" });
  return h("div", { class: "notice waiting" }, h("span", { class: "notice-icon" }, icon("unplugged")), h("div", { class: "notice-text" }, h("strong", {}, title), h("p", {}, text)));
}

function shown(problem) {
  const { title, text, detail } = explain(problem);
  const again = { scan: () => scan(), preview: () => preview(), open: () => choosing(state.scannerId) }[problem.kind];
  return h(
    "div",
    { class: `notice ${problem.code === "busy" ? "waiting" : "bad"}` },
    h("span", { class: "notice-icon" }, icon(ICONS[problem.code] ?? "warning")),
    h(
      "div",
      { class: "notice-text" },
      h("strong", {}, title),
      text ? h("p", {}, text) : null,
      detail && detail !== text ? h("p", { class: "detail", lang: "en" }, detail) : null,
      problem.pages ? h("p", {}, t("problem.kept", { n: problem.pages })) : null,
      h(
        "div",
        { class: "notice-actions" },
        again ? button("again", t(problem.pages ? "scan.goOn" : "again"), { class: "button small", onclick: again }) : null,
        ["busy", "unreachable"].includes(problem.code) && state.scanners?.length > 1
          ? h("a", { class: "button small", href: "#/scanners" }, h("span", {}, t("scanner.other")))
          : null
      )
    ),
    iconButton("close", t("close"), { onclick: () => set({ problem: null }) })
  );
}
