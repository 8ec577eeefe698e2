// Changes of the document's pages: seen at once, then made by the server.

import { patch, remove } from "./api.js";
import { confirm } from "./dialogs.js";
import { announce, toast } from "./dom.js";
import { fetchDocument } from "./jobs.js";
import { set, state } from "./state.js";
import { explain, t } from "./words.js";

/** Give the pages another order: their ids. */
export async function keepOrder(order) {
  const before = state.document;
  const byId = new Map(before.pages.map((page) => [page.id, page]));
  set({ document: { ...before, pages: order.map((id) => byId.get(id)) } });
  await changing(() => patch(["documents", before.id], { pages: order }));
}

// One after the other, as they were made; only after the last is there news to show.
let last = Promise.resolve();

/** Change the document by a call; where that fails, say so and show what is there. */
function changing(call) {
  const { id } = state.document;
  state.changes += 1;
  last = last.then(async () => {
    const say = (problem) => toast(explain(problem).title, "bad");
    await call().catch(say);
    state.changes -= 1;
    if (!state.changes && state.document?.id === id) await fetchDocument(id).catch(say);
  });
  return last;
}

/** Change how a page is shown: {rotate} or {crop}. */
export async function changePage(page, values) {
  const { document: current } = state;
  const pages = current.pages.map((one) => (one.id === page.id ? { ...one, ...values } : one));
  set({ document: { ...current, pages } });
  await changing(() => patch(["documents", current.id, "pages", page.id], values));
}

/** Turn a page by 90 or -90 degrees. */
export async function turn(page, by) {
  const rotate = (page.rotate + by + 360) % 360;
  announce(t("page.turned", { degrees: rotate }));
  await changePage(page, { rotate });
}

/** Delete a page, after asking; resolves to whether it is gone. */
export async function deletePage(page, n) {
  if (!(await confirm(t("page.delete", { n }), t("page.delete.sure", { n }), t("delete")))) return false;
  await changing(() => remove("documents", state.document.id, "pages", page.id));
  announce(t("page.deleted", { n }));
  document.querySelector(".page-sheet, .scan-button")?.focus();
  return true;
}
