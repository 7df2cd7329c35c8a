// SPDX-License-Identifier: Apache-2.0
// Who is in which group, what is blocked for it, and its week.
import { box, button, check, choices, field, form, get, h, post, say, section, select, sure, text } from "./parts.js";
import { t } from "./words.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const lines = (value) => value.split(/[\s,]+/).filter(Boolean);

/** A row of the week; keys that are not shown here stay as they are. */
function weekRow(row, catalog, remove) {
  const kind = select([["block", t("kind_block")], ["allow", t("kind_allow")]], row.allow && row.allow.length ? "allow" : "block");
  const known = ["daily", "mon-fri", "sat,sun"];
  const days = select([...known, ...(row.days && !known.includes(row.days) ? [row.days] : [])].map((one) => [one, DAYS.includes(one) || known.includes(one) ? t(`days_${one}`) : one]), row.days || "daily");
  const from = h("input", { type: "time", value: row.from || "" }), to = h("input", { type: "time", value: row.to === "24:00" ? "00:00" : row.to || "" });
  const chosen = [...(row.block || []), ...(row.allow || [])];
  const categories = choices(t("categories"), [{ id: "all", names: { ko: "모두", en: "everything" } }, ...catalog.categories], chosen);
  const services = choices(t("services"), catalog.services, [...(row.services || []), ...(row.allow || [])], true);
  const except = row.except && row.except.length ? h("p", { class: "soft" }, `${t("except")}: ${row.except.join(", ")}`) : null;
  const other = ["times", "bells", "on", "not_on"].filter((key) => row[key] && row[key].length).map((key) => `${key}: ${row[key].join(", ")}`);
  const summary = h("summary", {}, `${t(`kind_${kind.value}`)}: ${[...chosen, ...(row.services || [])].join(", ")} ${row.days || ""} ${row.from || ""}-${row.to || ""}`);
  const node = h("details", { open: chosen.length === 0 && !(row.services || []).length }, summary, h("div", { class: "buttons" }, field(t("kind"), kind), field(t("days"), days), field(t("from"), from), field(t("to"), to)),
    categories, services, except, other.length > 0 && h("p", { class: "soft" }, other.join("; ")), h("p", { class: "buttons" }, sure(t("remove"), () => { remove(node); })));
  node.read = () => {
    const out = { ...row };
    const allow = kind.value === "allow";
    for (const key of ["block", "allow", "services"]) delete out[key];
    if (allow) out.allow = [...categories.chosen(), ...services.chosen()];
    else {
      if (categories.chosen().length) out.block = categories.chosen();
      if (services.chosen().length) out.services = services.chosen();
    }
    out.days = days.value;
    if (from.value && to.value) Object.assign(out, { from: from.value, to: to.value === "00:00" ? "24:00" : to.value });
    for (const key of Object.keys(out)) if (Array.isArray(out[key]) && out[key].length === 0) delete out[key];
    return out;
  };
  return node;
}

function editor(one, last, state) {
  const group = one.settings, { catalog } = state.mine, fixed = !state.may.admin();
  const clients = h("textarea", { rows: "3", cols: "30", disabled: fixed }, group.clients.join("\n"));
  const categories = choices(t("blocked_categories"), catalog.categories, group.block), services = choices(t("blocked_services"), catalog.services, group.services, true);
  const safe = box(group.safe_search), youtube = select([["off", t("off")], ["moderate", t("moderate")], ["strict", t("strict")]], group.youtube);
  const unsafe = select([["allow", t("leave_open")], ["block", t("block")]], group.unsafe_search);
  const week = h("div", {});
  const remove = (node) => node.remove();
  group.schedule.forEach((row) => week.append(weekRow(row, catalog, remove)));
  const save = async () => {
    const put = { name: group.name, block: categories.chosen(), services: services.chosen(), safe_search: safe.checked, youtube: youtube.value, unsafe_search: unsafe.value,
      schedule: [...week.children].map((node) => node.read()) };
    if (!last) put.clients = lines(clients.value);
    await post("settings", { put: { groups: [put] } });
    state.mine.settings = await get("settings");
    say(t("saved"));
    await state.again();
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
    const pattern = state.mine.settings.groups.at(-1).settings;
    await post("settings", { put: { groups: [{ name: name.value, clients: lines(clients.value), block: pattern.block }] } });
    state.mine.settings = await get("settings");
    await state.again();
  }));
}

export async function show(state) {
  const settings = state.mine.settings = await get("settings");
  return [h("p", { class: "soft" }, t("groups_words")), ...settings.groups.map((one, i) => editor(one, i + 1 === settings.groups.length, state)), state.may.admin() && adding(state)].filter(Boolean);
}
