// SPDX-License-Identifier: Apache-2.0
// What is in force now and next, and what is different for once.
import { choices, field, form, get, h, label, post, say, section, select, sure, table, text, when } from "./parts.js";
import { t } from "./words.js";

function inForce(one, catalog) {
  if (one.paused) return t("is_paused");
  const names = [...one.block.map((id) => label(catalog.categories, id)), ...one.services.map((id) => label(catalog.services, id))];
  const only = one.only_chosen ? `${t("only")} ${one.only.map((id) => label(catalog.categories, id)).join(", ")}. ` : "";
  return only + (names.join(", ") || t("nothing_blocked_here"));
}

/** "games,tiktok" in plain words. */
const named = (what, catalog) => what.split(",").map((id) => id === "all" ? t("all") : label([...catalog.categories, ...catalog.services], id)).join(", ");

function adding(state) {
  const { catalog, settings } = state.mine;
  const kind = select([["pause", t("kind_pause")], ["block", t("kind_block")], ["allow", t("kind_allow")]]);
  const group = select([["", t("everybody")], ...settings.groups.map((one) => [one.settings.name, one.settings.name])]);
  const minutes = select([["10", t("minutes", { n: 10 })], ["45", t("minutes", { n: 45 })], ["60", t("minutes", { n: 60 })], ["120", t("minutes", { n: 120 })], ["0", t("until_then")]]);
  const from = h("input", { type: "datetime-local" }), until = h("input", { type: "datetime-local" }), note = text({ maxlength: "120" });
  const categories = choices(t("categories"), catalog.categories, []), services = choices(t("services"), catalog.services, [], true);
  const what = h("div", { class: "wide", hidden: true }, categories, services);
  const end = field(t("until"), until);
  end.hidden = true;
  kind.addEventListener("change", () => { what.hidden = kind.value === "pause"; });
  minutes.addEventListener("change", () => { end.hidden = minutes.value !== "0"; });
  const epoch = (input) => Math.floor(new Date(input.value) / 1000);
  return section(t("for_once"), form([field(t("kind"), kind), field(t("group"), group), field(t("how_long"), minutes), field(t("from"), from), end, field(t("note"), note), what], t("for_once_do"), async () => {
    const start = from.value ? epoch(from) : Math.floor(Date.now() / 1000);
    const stop = minutes.value === "0" ? epoch(until) : start + Number(minutes.value) * 60;
    if (!stop) throw new Error(t("until_missing"));
    const made = await post("windows", { kind: kind.value, group: group.value || undefined, until: stop, from: from.value ? start : undefined,
      what: kind.value === "pause" ? undefined : [...categories.chosen(), ...services.chosen()].join(","), note: note.value || undefined });
    say(made.note ? t("without_effect") : t("done"));
    await state.again();
  }));
}

export async function show(state) {
  const reply = await get("schedule"), { catalog } = state.mine;
  const close = (one, offset) => sure(t("end_it"), async () => {
    await post("windows/close", { offset, at: one.made_at });
    await state.again();
  });
  const windows = reply.windows.map((one, i) => [t(`kind_${one.kind}`), one.group || t("everybody"), one.what ? named(one.what, catalog) : "", when(one.from), when(one.until), one.note, ...(state.may.change() ? [close(one, i)] : [])]);
  return [!reply.clock_trusted && h("p", { class: "warn" }, t("clock_wrong")),
    section(t("in_force"), table(t("in_force"), [t("group"), t("now"), t("changes_at"), t("then")],
      reply.groups.map((one) => [one.group, inForce(one, catalog), when(one.changes_at) || t("no_change"), one.then ? inForce(one.then, catalog) : ""]))),
    section(t("exceptions"), table(t("exceptions"), [t("kind"), t("group"), t("what"), t("from"), t("until"), t("note"), ...(state.may.change() ? [t("end_it")] : [])], windows, { rows: true })),
    state.may.change() && adding(state), h("p", { class: "soft" }, t("weekly_where"), " ", h("a", { href: "#/groups" }, t("page_groups")))].filter(Boolean);
}
