// SPDX-License-Identifier: Apache-2.0
// Local rules: names that are allowed or blocked whatever lists say.
import { box, check, field, form, get, h, moment, nameOf, post, say, section, select, spans, sure, table, text } from "./parts.js";
import { t } from "./words.js";

function adding(state) {
  const name = text({ required: true, placeholder: "example.com" }), note = text({ maxlength: "120" }), exact = box(), pattern = box();
  const action = select([["allow", t("allow")], ["block", t("block")]]), span = select(spans());
  const group = select([["", t("everybody")], ...state.mine.settings.groups.map((one) => [one.settings.name, one.settings.name])]);
  return section(t("rule_add"), form([field(t("name"), name), field(t("action"), action), field(t("group"), group), field(t("how_long"), span), field(t("note"), note),
    check(t("exact"), exact), check(t("pattern"), pattern)], t("rule_add"), async () => {
    const body = { group: group.value || undefined, note: note.value || undefined, for_s: Number(span.value) || undefined };
    if (pattern.checked) body.pattern = name.value;
    else Object.assign(body, { name: nameOf(name.value), exact: exact.checked });
    await post(`rules/${action.value}`, body);
    say(t("rule_added"));
    await state.again();
  }));
}

async function all() {
  const rules = [];
  for (let more = true; more;) {
    const reply = await get(`rules?offset=${rules.length}`);
    rules.push(...reply.rules);
    more = reply.rules.length > 0 && rules.length < reply.count;
  }
  return rules;
}

export async function show(state) {
  const rules = await all();
  const remove = (rule) => sure(t("remove"), async () => {
    await post("rules/remove", { ...(rule.pattern ? { pattern: rule.pattern } : { name: rule.name, exact: rule.exact }), group: rule.group || undefined });
    await state.again();
  });
  const heads = [t("name"), t("action"), t("group"), t("until"), t("note"), t("instead_of"), ...(state.may.change() ? [t("remove")] : [])];
  const rows = rules.map((rule) => [rule.pattern ? h("code", {}, `/${rule.pattern}/`) : rule.name + (rule.exact ? ` (${t("exact")})` : ""),
    h("span", { class: rule.action === "allow" ? "good" : "bad" }, t(rule.action)), rule.group || t("everybody"), moment(rule.expires_at) || t("for_good"), rule.note,
    rule.not_needed ? h("span", { class: "warn" }, t("not_needed")) : rule.overrides_list, ...(state.may.change() ? [remove(rule)] : [])]);
  return [state.may.change() && adding(state), section(t("page_rules"), h("p", { class: "soft" }, t("rules_words")), table(t("page_rules"), heads, rows, { rows: true }))].filter(Boolean);
}
