// Dialogs: the browser's own <dialog>, which keeps the focus inside and closes with Escape.

import { button, h, iconButton, newId } from "./dom.js";
import { t } from "./words.js";

/**
 * Open a dialog with a title, content and actions; it is gone when closed. Returns the element;
 * its "close" event says it is over. kind is a class for its size.
 */
export function openDialog(title, content, actions = [], kind = "") {
  const id = newId("dialog");
  const dialog = h(
    "dialog",
    { class: `dialog ${kind}`, "aria-labelledby": id, onclose: () => dialog.remove() },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id }, title),
      iconButton("close", t("close"), { onclick: () => dialog.close() })
    ),
    h("div", { class: "dialog-body" }, content),
    actions.length ? h("div", { class: "dialog-actions" }, actions) : null
  );
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask before something is done that cannot be undone; resolves to true or false. */
export function confirm(title, text, action) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = button("trash", action, {
      class: "button danger",
      onclick: () => {
        answer = true;
        dialog.close();
      },
    });
    const no = button(null, t("cancel"), { class: "button", onclick: () => dialog.close(), autofocus: true });
    const dialog = openDialog(title, h("p", {}, text), [no, yes], "small");
    dialog.addEventListener("close", () => resolve(answer));
  });
}

/** Ask for a short text; resolves to it, or null. */
export function askFor(title, label, value, action) {
  return new Promise((resolve) => {
    let answer = null;
    const id = newId("field");
    const input = h("input", { id, class: "input", type: "text", required: true, maxlength: 60, autocomplete: "off", value });
    const form = h("form", { id: newId("form"), method: "dialog" }, h("label", { class: "label", for: id }, label), input);
    form.addEventListener("submit", () => {
      answer = input.value.trim() || null;
    });
    const save = h("button", { class: "button primary", type: "submit", form: form.id }, action);
    const no = button(null, t("cancel"), { onclick: () => dialog.close() });
    const dialog = openDialog(title, form, [no, save], "small");
    dialog.addEventListener("close", () => resolve(answer));
    input.select();
  });
}
