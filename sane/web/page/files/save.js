// Saving a document: as a file of a format on this device, or sent to a destination.

import { download, get, post } from "./api.js";
import { openDialog } from "./dialogs.js";
import { button, h, icon, kept, toast } from "./dom.js";
import { choices, toggle } from "./panel.js";
import { set, state } from "./state.js";
import { explain, size, t } from "./words.js";

const FORMATS = ["pdf", "jpeg", "png", "tiff"];
const DESTINATION_ICONS = { folder: "folder", paperless: "archive", webhook: "globe", mail: "mail", command: "gear" };

/** Fetch the destinations. */
export async function fetchDestinations() {
  try {
    const { destinations } = await get("destinations");
    set({ destinations });
  } catch {
    set({ destinations: state.destinations ?? [] }); // the page itself says that the server is gone
  }
}

/** Open the dialog that saves a document. */
export async function openSave(current) {
  if (!state.destinations) await fetchDestinations();
  const chosen = { format: "pdf", ocr: false, pdfa: false, to: "", ...kept.read("save", {}) };
  const profile = state.profiles.find((one) => one.name === state.settings?.profile);
  if (profile?.destination) Object.assign(chosen, profile.output, { to: profile.destination });
  if (!state.destinations.some((one) => one.name === chosen.to)) chosen.to = "";
  const extras = h("div", { class: "extras" });
  const go = button(null, "", { class: "button primary", onclick: () => save(dialog, go, current, chosen) });
  const update = (values) => {
    Object.assign(chosen, values);
    kept.write("save", chosen);
    extras.hidden = chosen.format !== "pdf";
    go.replaceChildren(icon(chosen.to ? "send" : "save"), h("span", {}, t(chosen.to ? "save.send" : "save.download")));
  };
  fillExtras(extras, chosen, update);
  const formats = FORMATS.filter((name) => state.info.features?.[name] !== false);
  const content = [
    choices("format", t("save.format"), formats.map((name) => [name, name.toUpperCase()]), {
      value: chosen.format,
      onchange: (format) => update({ format }),
    }),
    extras,
    state.destinations.length ? where(chosen, update) : null,
    h("p", { class: "hint" }, about(current)),
  ];
  const dialog = openDialog(t("save.title"), content, [button(null, t("cancel"), { onclick: () => dialog.close() }), go]);
  update({});
}

function about(current) {
  const bytes = current.pages.reduce((sum, page) => sum + (page.bytes ?? 0), 0);
  const pages = t("pages.count", { n: current.pages.length });
  return bytes ? `${pages} · ${size(bytes)}` : pages;
}

function fillExtras(extras, chosen, update) {
  const { features = {} } = state.info;
  if (features.ocr !== false) {
    extras.append(toggle(t("save.ocr"), { value: chosen.ocr, hint: t("save.ocr.help"), onchange: (ocr) => update({ ocr }) }));
  } else chosen.ocr = false;
  if (features.pdfa !== false) {
    extras.append(toggle(t("save.pdfa"), { value: chosen.pdfa, hint: t("save.pdfa.help"), onchange: (pdfa) => update({ pdfa }) }));
  } else chosen.pdfa = false;
}

function where(chosen, update) {
  const options = [["", t("save.here")], ...state.destinations.map(({ name, title }) => [name, title || name])];
  const icons = Object.fromEntries(state.destinations.map(({ name, kind }) => [name, DESTINATION_ICONS[kind] ?? "send"]));
  const field = choices("destination", t("save.where"), options, { value: chosen.to, onchange: (to) => update({ to }), icons: { ...icons, "": "device" } });
  field.classList.add("stacked");
  return field;
}

async function save(dialog, go, current, chosen) {
  go.disabled = true;
  go.classList.add("working");
  go.lastChild.textContent = t(chosen.to ? "save.sending" : "save.preparing");
  const flags = chosen.format === "pdf" ? { ocr: chosen.ocr, pdfa: chosen.pdfa } : {};
  try {
    if (chosen.to) await send(current, chosen, flags);
    else await keep(current, chosen, flags);
    dialog.close();
  } catch (problem) {
    const { title, text, detail } = explain(problem);
    dialog.querySelector(".notice")?.remove();
    const said = [title, text, detail].filter(Boolean).join(" ");
    dialog.querySelector(".dialog-body").prepend(h("p", { class: "notice bad", role: "alert" }, icon("warning"), h("span", {}, said)));
    go.disabled = false;
    go.classList.remove("working");
    go.lastChild.textContent = t("again");
  }
}

async function send(current, { to, format }, flags) {
  await post(["documents", current.id, "deliveries"], { destination: to, format, ...flags });
  const { title } = state.destinations.find((one) => one.name === to);
  toast(t("save.sent", { name: title || to }));
}

async function keep(current, { format }, flags) {
  const query = { format, ...Object.fromEntries(Object.entries(flags).map(([name, on]) => [name, on ? 1 : 0])) };
  const { blob, name } = await download(["documents", current.id, "file"], query);
  const href = URL.createObjectURL(blob);
  const link = h("a", { href, download: name || `scan.${format}` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
  toast(t("save.saved", { name: name || link.download, size: size(blob.size) }));
}
