// The page: starts it, puts its parts together, and keeps it in step with the server.

import { get, whenUnauthorized } from "./api.js";
import { announce, fill, h, icon, iconButton, later, toast } from "./dom.js";
import { listen, stop } from "./events.js";
import { ask, fetchDocument, follow, resume } from "./jobs.js";
import { panel } from "./panel.js";
import { fetchProfiles } from "./profiles.js";
import { choosing, scannersView } from "./scanners.js";
import { forgetWatchers, set, state } from "./state.js";
import { explain, load, loadWords, t } from "./words.js";
import { workspace } from "./workspace.js";

const app = document.getElementById("app");
// What is not needed to scan is loaded when it is wanted, or when there is nothing else to do.
const PARTS = {
  editor: () => import("./editor.js"),
  files: () => import("./files.js"),
  login: () => import("./login.js"),
  save: () => import("./save.js"),
  settings: () => import("./settings.js"),
};
const VIEWS = {
  scan: scanView,
  files: () => later(load(PARTS.files).then((files) => files?.filesView() ?? "")),
  scanners: scannersView,
};

const LOOKING_WAIT = 1000;

let isLoginShown = false;

function scanView() {
  return h("div", { class: "scan-view" }, h("h1", { class: "unseen" }, t("scan.title")), panel(), workspace());
}

const viewName = () => {
  const name = location.hash.replace(/^#\//, "");
  return name in VIEWS ? name : "scan";
};

/** Build the page for the address, in the language of now. */
function build() {
  if (isLoginShown) return;
  forgetWatchers();
  const name = viewName();
  document.title = `${t(`${name === "scan" ? "scan.title" : name}`)} · PySANE`;
  const main = h("main", { id: "main", tabindex: -1 }, VIEWS[name]());
  fill(app, h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")), header(name), main);
}

function skip(event) {
  event.preventDefault(); // the part after # is the view
  document.getElementById("main").focus();
}

function header(name) {
  const link = (to, iconName, text) =>
    h("a", { href: `#/${to}`, "aria-current": name === to ? "page" : null }, icon(iconName), h("span", {}, text));
  return h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: "#/scan" }, h("span", { class: "brand-mark" }, icon("scan")), h("span", { class: "brand-name" }, "PySANE")),
    h("nav", { "aria-label": t("navigation") }, link("scan", "scanner", t("scan")), link("files", "archive", t("files"))),
    iconButton("gear", t("settings"), { onclick: () => load(PARTS.settings).then((settings) => settings?.openSettings(build)) })
  );
}

function showLogin() {
  if (isLoginShown) return;
  isLoginShown = true;
  stop();
  forgetWatchers();
  document.title = `${t("login")} · PySANE`;
  fill(app, h("main", { id: "main", class: "login-view" }, later(load(PARTS.login).then((login) => login?.loginView(begin) ?? ""))));
}

/** Ask for everything the page shows; afterwards the events say what changes. */
async function begin() {
  isLoginShown = false;
  build();
  const wanted = [fetchScanners(), get("info").then((info) => set({ info })), fetchProfiles()];
  if (state.documentId) wanted.push(openLast());
  listen(told, connected);
  for (const { reason } of await Promise.allSettled(wanted)) {
    if (reason && reason.code !== "lost" && reason.status !== 401) toast(explain(reason).title, "bad");
  }
  const idle = globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 500));
  idle(() => Object.values(PARTS).forEach((part) => part().catch(() => {}))); // then when they are wanted
}

async function openLast() {
  await fetchDocument(state.documentId);
  if (state.document?.pages.length) set({ tab: "pages" });
  const { jobs } = await get("jobs");
  resume(jobs.find((job) => job.document && job.document === state.documentId));
}

async function fetchScanners() {
  let scanners;
  try {
    ({ scanners } = await get("scanners"));
  } catch (problem) {
    if (problem.code !== "unreachable") throw problem;
    setTimeout(() => fetchScanners().catch(() => {}), LOOKING_WAIT); // the server has just started
    return;
  }
  set({ scanners });
  const isThere = scanners.some((one) => one.id === state.scannerId);
  if (isThere && state.capabilities) return;
  if (isThere) await choosing(state.scannerId);
  else if (scanners.length === 1) await choosing(scanners[0].id);
  else if (viewName() === "scan") location.hash = "#/scanners";
}

function told(kind, data) {
  if (kind === "job") follow(data);
  if (kind === "scanner") scannerTold(data);
  if (kind === "document" || kind === "page") documentTold(data);
  if (kind === "delivery") deliveryTold(data);
  if (kind === "missed") askAgain();
}

function scannerTold(data) {
  const known = state.scanners?.findIndex((one) => one.id === data.id) ?? -1;
  if (known < 0 || data.removed) fetchScanners().catch(() => set({ isConnected: false }));
  else set({ scanners: state.scanners.map((one) => (one.id === data.id ? data : one)) });
  const isBack = data.id === state.scannerId && !state.capabilities && data.state === "idle";
  if (isBack && state.problem?.kind === "open") choosing(data.id);
}

function documentTold(data) {
  const id = data.document ?? data.id;
  if (id && id === state.document?.id && !state.job) fetchDocument(id);
  refreshFiles();
}

async function refreshFiles() {
  if (viewName() !== "files") return;
  const files = await load(PARTS.files);
  files?.fetchDocuments();
}

function deliveryTold(data) {
  if (data.state === "failed") announce(t("delivery.failed", { name: data.destination }));
  refreshFiles();
}

async function connected(isConnected) {
  const cameBack = isConnected && !state.isConnected;
  if (!isConnected && (await isLoggedOut())) {
    showLogin();
    return;
  }
  if (isConnected !== state.isConnected) set({ isConnected });
  if (!cameBack) return;
  announce(t("connected"));
  await askAgain();
}

// Events that end may mean that the server no longer knows who we are.
async function isLoggedOut() {
  try {
    const session = await get("session");
    return session.needed && !session.user;
  } catch {
    return false; // no answer at all
  }
}

/** Ask for what may have changed while no events came. */
async function askAgain() {
  const { document: current } = state;
  const wanted = [fetchScanners(), ask(), current && fetchDocument(current.id)];
  await Promise.allSettled(wanted);
}

async function open() {
  whenUnauthorized(showLogin);
  addEventListener("hashchange", () => {
    build();
    document.getElementById("main").focus({ preventScroll: true });
    scrollTo(0, 0);
  });
  await loadWords();
  try {
    const session = await get("session");
    set({ session });
    if (session.needed && !session.user) return showLogin();
  } catch (problem) {
    if (problem.status === 401) return showLogin();
    build();
    set({ isConnected: false });
  }
  return begin();
}

await open();
