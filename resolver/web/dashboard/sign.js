// SPDX-License-Identifier: Apache-2.0
import { field, form, h, post, say, section, text } from "./parts.js";
import { t } from "./words.js";

const secret = (autocomplete) => h("input", { type: "password", autocomplete, required: true, minlength: "10", maxlength: "200" });
const account = () => text({ required: true, autocomplete: "username", autocapitalize: "none", spellcheck: "false", pattern: "[a-z0-9_][a-z0-9._\\-]{0,31}" });

export function signIn(enter) {
  const name = account(), word = secret("current-password");
  return form([field(t("account"), name), field(t("password"), word)], t("sign_in"), async () => {
    await post("sign-in", { account: name.value, password: word.value });
    await enter();
  });
}

function twice() {
  const word = secret("new-password"), again = secret("new-password");
  const fields = [field(t("new_password"), word), field(t("once_more"), again), h("p", { class: "soft" }, t("password_rule"))];
  return { fields, read: () => { if (word.value !== again.value) throw new Error(t("not_the_same")); return word.value; } };
}

export function setUp(invitation, enter) {
  const name = account(), words = twice();
  return h("div", {}, h("p", {}, t("set_up_words")),
    form([field(t("account"), name), ...words.fields], t("set_up_do"), async () => {
      await post("set-up", { invitation, account: name.value, password: words.read() });
      await enter();
    }));
}

export const password = {
  show({ mine }) {
    const old = secret("current-password"), words = twice();
    return section(t("change_password"), form([h("input", { type: "text", autocomplete: "username", value: mine.account, hidden: true }), field(t("old_password"), old), ...words.fields], t("change_password"), async () => {
      await post("password", { account: mine.account, old: old.value, password: words.read() });
      say(t("password_changed"));
    }));
  },
};
