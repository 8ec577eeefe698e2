// The login, where the server wants one.

import { logIn } from "./api.js";
import { announce, h, icon, newId } from "./dom.js";
import { set } from "./state.js";
import { explain, t } from "./words.js";

/** Build the login; done() is called when it succeeded. */
export function loginView(done) {
  const [user, password, error] = [newId("user"), newId("password"), newId("error")];
  const name = h("input", { id: user, class: "input", type: "text", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const secret = h("input", { id: password, class: "input", type: "password", autocomplete: "current-password", required: true });
  const wrong = h("p", { id: error, class: "notice bad", role: "alert", hidden: true });
  const go = h("button", { class: "button primary wide", type: "submit" }, t("login"));
  const form = h(
    "form",
    { class: "login" },
    h("span", { class: "brand-mark" }, icon("scan")),
    h("h1", {}, t("login.title")),
    wrong,
    h("div", { class: "field" }, h("label", { class: "label", for: user }, t("login.user")), name),
    h("div", { class: "field" }, h("label", { class: "label", for: password }, t("login.password")), secret),
    go
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      set({ session: await logIn(name.value, secret.value) });
      await done();
    } catch (problem) {
      const { title, text } = problem.status === 401 ? { title: t("login.wrong"), text: "" } : explain(problem);
      wrong.textContent = `${title} ${text}`.trim();
      wrong.hidden = false;
      announce(wrong.textContent);
      secret.select();
    } finally {
      go.disabled = false;
    }
  });
  return form;
}
