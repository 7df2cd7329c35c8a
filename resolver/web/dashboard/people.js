// SPDX-License-Identifier: Apache-2.0
// Accounts of people, and tokens of programs.
import { day, field, fill, form, get, h, post, say, section, select, sure, table, text, when } from "./parts.js";
import { t } from "./words.js";

const roles = () => ["viewer", "teacher", "admin"].map((one) => [one, t(`role_${one}`)]);

function accounts(reply, state) {
  const change = (one) => {
    const role = select(roles(), one.role);
    role.setAttribute("aria-label", `${t("role")}: ${one.account}`);
    role.addEventListener("change", () => post("accounts", { account: one.account, role: role.value }).then(() => say(t("saved")), (error) => { role.value = one.role; say(error.message, true); }));
    return role;
  };
  const remove = (one) => sure(t("remove"), async () => {
    await post("accounts/remove", { account: one.account });
    await state.again();
  });
  return section(t("accounts"), table(t("accounts"), [t("account"), t("role"), t("password_of"), t("remove")], reply.accounts.map((one) => [one.account, change(one), day(one.changed_at), remove(one)]), { rows: true }));
}

function adding(state) {
  const name = text({ required: true, autocomplete: "username", autocapitalize: "none", pattern: "[a-z0-9_][a-z0-9._\\-]{0,31}" }), role = select(roles());
  const word = h("input", { type: "password", autocomplete: "new-password", required: true, minlength: "10" });
  return section(t("account_add"), h("p", { class: "soft" }, t("account_words")), form([field(t("account"), name), field(t("role"), role), field(t("new_password"), word)], t("save"), async () => {
    await post("accounts", { account: name.value, role: role.value, password: word.value });
    say(t("saved"));
    await state.again();
  }));
}

function tokens(reply, state) {
  const remove = (one) => sure(t("remove"), async () => {
    await post("tokens/remove", { id: one.id });
    await state.again();
  });
  const label = text({ required: true, maxlength: "64" }), role = select([["metrics", t("role_metrics")], ...roles()]), span = select([["31536000", t("year_1")], ["0", t("for_good")]]), out = h("div", { "aria-live": "polite" });
  return section(t("tokens"), h("p", { class: "soft" }, t("tokens_words")),
    table(t("tokens"), [t("what_for"), t("role"), t("made_by"), t("used"), t("until"), t("remove")], reply.tokens.map((one) => [one.label, t(`role_${one.role}`), one.made_by, day(one.used_at) || t("never"), when(one.expires_at) || t("for_good"), remove(one)]), { rows: true }),
    h("h3", {}, t("token_add")), form([field(t("what_for"), label), field(t("role"), role), field(t("how_long"), span)], t("token_add"), async () => {
      const made = await post("tokens", { label: label.value, role: role.value, for_s: Number(span.value) });
      fill(out, h("p", {}, t("token_once")), h("p", {}, h("code", {}, made.token)));
    }), out);
}

export async function show(state) {
  const [people, programs] = await Promise.all([get("accounts"), get("tokens")]);
  return [accounts(people, state), adding(state), tokens(programs, state)];
}
