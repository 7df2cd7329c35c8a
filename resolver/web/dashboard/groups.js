// SPDX-License-Identifier: Apache-2.0
// Who is in which group, what is blocked for it, and its week.
import { box, button, check, choices, field, form, get, h, label, post, say, section, select, sure, text } from "./parts.js";
import { t } from "./words.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const lines = (value) => value.split(/[\s,]+/).filter(Boolean);

/** A row of the week; keys that are not shown here stay as they are. */
function weekRow(row, catalog, remove) {
  const all = { id: "all", names: { ko: "모두", en: "everything" } };
  const known = ["daily", "mon-fri", "sat,sun"];
  const days = select([...known, ...(row.days && !known.includes(row.days) ? [row.days] : [])].map((one) => [one, DAYS.includes(one) || known.includes(one) ? t(`days_${one}`) : one]), row.days || "daily");
  const from = h("input", { type: "time", value: row.from || "" }), to = h("input", { type: "time", value: row.to === "24:00" ? "00:00" : row.to || "" });
  const sets = {
    block: choices(t("blocked_categories"), [all, ...catalog.categories], row.block || []),
    services: choices(t("blocked_services"), catalog.services, row.services || [], true),
    allow: choices(t("allowed_then"), [all, ...catalog.categories, ...catalog.services], row.allow || [], true),
  };
  const words = (key) => (row[key] || []).map((id) => (id === "all" ? t("all") : label([...catalog.categories, ...catalog.services], id)));
  const other = ["except", "times", "bells", "on", "not_on"].filter((key) => row[key] && row[key].length).map((key) => `${key}: ${row[key].join(", ")}`);
  const parts = [[...words("block"), ...words("services")].length && `${t("block")}: ${[...words("block"), ...words("services")].join(", ")}`,
    words("allow").length && `${t("allow")}: ${words("allow").join(", ")}`, days.selectedOptions[0].textContent, row.from && `${row.from}-${row.to}`, ...other].filter(Boolean);
  const node = h("details", { open: !words("block").length && !words("services").length && !words("allow").length }, h("summary", {}, parts.join("; ")),
    h("div", { class: "buttons" }, field(t("days"), days), field(t("from"), from), field(t("to"), to)), ...Object.values(sets),
    other.length > 0 && h("p", { class: "soft" }, other.join("; ")), h("p", { class: "buttons" }, sure(t("remove"), () => { remove(node); })));
  node.read = () => {
    const out = { ...row, days: days.value };
    for (const [key, set] of Object.entries(sets)) out[key] = set.chosen();
    if (Boolean(from.value) !== Boolean(to.value)) throw new Error(t("half_a_time"));
    delete out.from;
    delete out.to;
    if (from.value) Object.assign(out, { from: from.value, to: to.value === "00:00" ? "24:00" : to.value });
    for (const key of Object.keys(out)) if (Array.isArray(out[key]) && out[key].length === 0) delete out[key];
    return out;
  };
  return node;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function editor(one, last, state) {
  const group = one.settings, { catalog } = state.mine, fixed = !state.may.admin();
  const clients = h("textarea", { rows: "3", cols: "30", disabled: fixed }, group.clients.join("\n"));
  const categories = choices(t("blocked_categories"), catalog.categories, group.block), services = choices(t("blocked_services"), catalog.services, group.services, true);
  const safe = box(group.safe_search), youtube = select([["off", t("off")], ["moderate", t("moderate")], ["strict", t("strict")]], group.youtube);
  const unsafe = select([["allow", t("leave_open")], ["block", t("block")]], group.unsafe_search);
  const week = h("div", {});
  const remove = (node) => node.remove();
  group.schedule.forEach((row) => week.append(weekRow(row, catalog, remove)));
  const before = [...week.children].map((node) => node.read());
  const ordered = (chosen, old) => [...old.filter((id) => chosen.includes(id)), ...chosen.filter((id) => !old.includes(id))];
  const save = async () => {
    const now = { clients: last ? group.clients : lines(clients.value), block: ordered(categories.chosen(), group.block), services: ordered(services.chosen(), group.services),
      safe_search: safe.checked, youtube: youtube.value, unsafe_search: unsafe.value };
    const put = Object.fromEntries(Object.entries(now).filter(([key, value]) => !same(value, group[key])));
    const rows = [...week.children].map((row) => row.read());
    if (!same(rows, before)) put.schedule = rows;
    if (Object.keys(put).length > 0) await post("settings", { put: { groups: [{ name: group.name, ...put }] } });
    state.mine.settings = await get("settings");
    say(t("saved"));
    const fresh = state.mine.settings.groups.find((other) => other.settings.name === group.name);
    if (fresh) node.replaceWith(editor(fresh, last, state));
  };
  const content = [last ? h("p", { class: "soft" }, t("catches_rest")) : field(t("clients"), clients), categories, services,
    check(t("safe_search"), safe), field("YouTube", youtube), field(t("unsafe_search"), unsafe),
    h("fieldset", {}, h("legend", {}, t("week")), week, !fixed && button(t("week_add"), () => { week.append(weekRow({ block: [] }, catalog, remove)); }))];
  const node = section(group.name, fixed ? h("div", {}, ...content) : form(content, t("save"), save),
    h("p", { class: "soft" }, t("stands_in", { file: one.file.split("/").pop() || "-" })));
  if (fixed) node.querySelectorAll("input, select, button, textarea").forEach((input) => { input.disabled = true; });
  return node;
}

function adding(state) {
  const name = text({ required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*" }), clients = h("textarea", { rows: "2", cols: "30", required: true });
  return section(t("group_add"), form([field(t("name"), name), field(t("clients"), clients)], t("group_add"), async () => {
    // The group that its devices come from; what it filters is what they go on with.
    const pattern = Object.fromEntries(Object.entries(state.mine.settings.groups.at(-1).settings).filter(([, value]) => value !== "" && !(Array.isArray(value) && value.length === 0)));
    await post("settings", { put: { groups: [{ ...pattern, name: name.value, clients: lines(clients.value) }] } });
    state.mine.settings = await get("settings");
    await state.again();
  }));
}

export async function show(state) {
  const settings = state.mine.settings = await get("settings");
  return [h("p", { class: "soft" }, t("groups_words")), ...settings.groups.map((one, i) => editor(one, i + 1 === settings.groups.length, state)), state.may.admin() && adding(state)].filter(Boolean);
}
