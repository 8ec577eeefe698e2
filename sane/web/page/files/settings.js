// Settings of this browser: language and theme; and who is logged in.

import { remove } from "./api.js";
import { openDialog } from "./dialogs.js";
import { button, h, kept } from "./dom.js";
import { choices, select } from "./panel.js";
import { state } from "./state.js";
import { LANGUAGES, loadWords, t } from "./words.js";

const NAMES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", zh: "简体中文" };
const THEMES = { "": "auto", light: "sun", dark: "moon" };

// start.js reads these two as plain texts, before any module is there.
function keepText(name, value) {
  try {
    if (value) localStorage.setItem(`pysane.${name}`, value);
    else localStorage.removeItem(`pysane.${name}`);
  } catch {
    kept.write(name, value);
  }
}

function read(name) {
  try {
    return localStorage.getItem(`pysane.${name}`) ?? "";
  } catch {
    return "";
  }
}

/** Open the settings. rebuild() builds the page anew, after another language. */
export function openSettings(rebuild) {
  const language = select(t("settings.language"), [["", t("settings.automatic")], ...LANGUAGES.map((name) => [name, NAMES[name]])], {
    value: read("language"),
    onchange: async (value) => {
      keepText("language", value);
      if (!(await loadWords())) return;
      dialog.close();
      rebuild();
      openSettings(rebuild);
    },
  });
  const themes = Object.keys(THEMES).map((name) => [name, t(`settings.theme.${name || "auto"}`)]);
  const theme = choices("theme", t("settings.theme"), themes, {
    value: read("theme"),
    icons: THEMES,
    onchange: (value) => {
      keepText("theme", value);
      window.pysaneStart.showTheme();
    },
  });
  const dialog = openDialog(t("settings"), [language, theme, about()], [], "small");
}

function about() {
  const { user } = state.session;
  return h(
    "div",
    { class: "about" },
    user ? h("p", {}, t("login.as", { user })) : null,
    user ? button("leave", t("login.leave"), { class: "button small", onclick: logOut }) : null,
    h("p", { class: "hint" }, `PySANE ${state.info.version}`)
  );
}

async function logOut() {
  await remove("session");
  location.reload();
}
