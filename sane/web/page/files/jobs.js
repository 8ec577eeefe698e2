// Jobs of this page: scans and previews, from their start to their last page.

import { address, get, post, remove } from "./api.js";
import { asRequest } from "./capabilities.js";
import { announce, toast } from "./dom.js";
import { set, source, state } from "./state.js";
import { explain, t } from "./words.js";

const PREVIEW_DPI = 75;
const POLL = 2000; // ms; only while the events are cut off
const OVER = ["done", "cancelled", "failed"];

let timer = 0;
let early = []; // what was told of jobs before the server had answered which is ours

/** Start a scan; *replace* is the id of a page that it is to take the place of. */
export async function scan({ replace } = {}) {
  const body = { scanner: state.scannerId, kind: "scan", ...asRequest() };
  if (state.settings.profile) body.profile = state.settings.profile;
  if (state.document) body.document = state.document.id;
  if (replace) Object.assign(body, { replace, single: true });
  await start(body, "pages");
}

/** Start a preview of the whole glass. */
export async function preview() {
  const { resolutions, modes } = source();
  const resolution = resolutions.find((dpi) => dpi >= PREVIEW_DPI) ?? resolutions.at(-1);
  const mode = modes.includes("color") ? "color" : modes[0];
  const body = { scanner: state.scannerId, kind: "preview", source: state.settings.source, mode, resolution, paper: "max" };
  await start(body, "preview");
}

async function start(body, tab) {
  // Something is seen at once; the server's answer takes its place.
  set({ problem: null, tab, job: { ...body, id: "", state: "waiting", pages: [], progress: null } });
  announce(t(body.kind === "scan" ? "scan.starting" : "preview.starting"));
  early = [];
  try {
    const job = await post(["jobs"], body);
    set({ job: { ...body, ...job, pages: [] } });
    for (const one of [job, ...early]) follow(one);
  } catch (problem) {
    set({ job: null });
    fail(problem, body.kind);
  }
  poll();
}

/** Stop the running job. */
export async function cancel() {
  const { id } = state.job ?? {};
  if (!id) return;
  set({ job: { ...state.job, isStopping: true } });
  announce(t("scan.stopping"));
  try {
    await remove("jobs", id);
  } catch (problem) {
    if (problem.code !== "not-found") fail(problem, "scan");
  }
}

/** Take over what the server says of a job, from an answer or an event. */
export function follow(job) {
  const own = state.job;
  if (own && !own.id) early.push(job);
  if (!own || own.id !== job.id || OVER.includes(own.state)) return;
  const pages = job.pages?.length ?? 0;
  if (pages > (own.pages?.length ?? 0)) announce(t("page.arrived", { n: pages }));
  if (job.document && (pages !== own.pages?.length || job.document !== state.document?.id)) {
    fetchDocument(job.document);
  }
  set({ job: { ...own, ...job } });
  if (OVER.includes(job.state)) finish(job);
}

/** Follow a job that already runs: this page was opened anew meanwhile. */
export function resume(job) {
  if (!job || state.job || OVER.includes(job.state)) return;
  set({ job, tab: "pages" });
  poll();
}

async function finish(job) {
  clearTimeout(timer);
  const isShown = job.kind === "preview" && job.state === "done";
  if (isShown) await showPreview(job);
  set({ job: null });
  if (job.document) fetchDocument(job.document);
  if (job.state === "failed") fail({ ...job.error, pages: job.pages?.length ?? 0 }, job.kind);
  else if (job.state === "cancelled") announce(t("scan.stopped"));
  else if (isShown) announce(t("preview.done"));
  else announce(t("scan.done", { n: job.pages?.length ?? 0 }));
  if (job.skipped) toast(t("scan.skipped", { n: job.skipped }));
}

async function showPreview(job) {
  const url = address(["jobs", job.id, "preview"]);
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {}); // the glass says what it cannot show
  set({ preview: { scannerId: job.scanner, source: state.settings.source, url } });
}

function fail(problem, kind) {
  set({ problem: { code: problem.code ?? "failed", text: problem.text, holder: problem.holder, pages: problem.pages ?? 0, kind } });
  const { title, text } = explain(state.problem);
  announce(`${title} ${text}`);
}

/**
 * Fetch the document that pages are added to; one that is gone is let go of. While changes are on
 * their way the answer is old: after the last of them it is fetched again.
 */
export async function fetchDocument(id) {
  try {
    const found = await get("documents", id);
    if (!state.changes) set({ document: found });
  } catch (problem) {
    if (problem.code === "not-found") set({ document: null });
    else if (problem.code !== "lost") throw problem;
  }
}

/** Ask for the job itself: after a reconnect, or while no events come. */
export async function ask() {
  if (!state.job?.id) return;
  try {
    follow(await get("jobs", state.job.id));
  } catch (problem) {
    if (problem.code === "lost") return;
    set({ job: null });
    fail(problem.code === "not-found" ? { code: "gone" } : problem, "scan");
  }
}

function poll() {
  clearTimeout(timer);
  if (!state.job) return;
  timer = setTimeout(async () => {
    if (!state.isConnected) await ask();
    poll();
  }, POLL);
}
