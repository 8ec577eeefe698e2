// Profiles: settings under a name, for everybody who scans here.

import { get, put, remove } from "./api.js";
import { asRequest, change } from "./capabilities.js";
import { askFor, confirm } from "./dialogs.js";
import { fill, h, iconButton, newId, toast } from "./dom.js";
import { set, state, watch } from "./state.js";
import { explain, t } from "./words.js";

/** Fetch the profiles. */
export async function fetchProfiles() {
  const answer = await get("profiles");
  set({ profiles: answer.profiles ?? answer });
}

/** Build the row that chooses, keeps and deletes a profile. */
export function profileRow() {
  const id = newId("profile");
  const list = h("select", { id, class: "input", onchange: () => choose(list.value) });
  const forget = iconButton("trash", t("profile.delete"), { onclick: () => forgetProfile(state.settings.profile) });
  watch(["profiles", "settings"], () => {
    const chosen = state.settings?.profile ?? "";
    fill(
      list,
      h("option", { value: "" }, t("profile.none")),
      state.profiles.map(({ name }) => h("option", { value: name, selected: name === chosen }, name))
    );
    list.value = chosen;
    forget.hidden = !chosen || Boolean(state.profiles.find((one) => one.name === chosen)?.fixed);
  });
  return h(
    "div",
    { class: "field profile" },
    h("label", { class: "label", for: id }, t("profile")),
    h("div", { class: "row" }, list, forget, iconButton("bookmark", t("profile.save"), { onclick: keepProfile }))
  );
}

function choose(name) {
  const profile = state.profiles.find((one) => one.name === name);
  if (!profile) return change({ profile: "" });
  const { source, mode, resolution, paper, area } = { ...state.settings, ...profile.settings };
  const work = profile.work ?? profile.settings.work ?? {};
  return change({ source, mode, resolution, paper: profile.settings.area ? "area" : paper, area, work, profile: name });
}

async function keepProfile() {
  const name = await askFor(t("profile.save"), t("profile.name"), state.settings.profile, t("save"));
  if (!name) return;
  const { work = {}, ...settings } = asRequest();
  const { output, destination, title } = state.profiles.find((one) => one.name === name) ?? {};
  const kept = Object.fromEntries(Object.entries({ output, destination, title }).filter(([, value]) => value));
  try {
    await put(["profiles", name], { ...kept, name, settings, work });
    await fetchProfiles();
    change({ profile: name });
    toast(t("profile.saved", { name }));
  } catch (problem) {
    toast(explain(problem).title, "bad");
  }
}

async function forgetProfile(name) {
  if (!(await confirm(t("profile.delete"), t("profile.delete.sure", { name }), t("delete")))) return;
  try {
    await remove("profiles", name);
    change({ profile: "" });
    await fetchProfiles();
  } catch (problem) {
    toast(explain(problem).title, "bad");
  }
}
