// SPDX-License-Identifier: Apache-2.0
// A name, a client, a time -> the whole why. And, for an admin, what one device asks right now.
import { button, field, fill, form, get, h, label, nameOf, post, query, section, select, table, text, when } from "./parts.js";
import { language, t } from "./words.js";

function why(reply, catalog) {
  const rows = [
    [t("group"), reply.group], [t("reason"), t(`reason_${reply.reason}`)], [t("category"), reply.category && label(catalog.categories, reply.category)],
    [t("list"), [reply.list, reply.list_version && `(${reply.list_version})`].filter(Boolean).join(" ")], [t("entry"), reply.entry],
    [t("rule"), reply.rule && [reply.rule, reply.rule_group].filter(Boolean).join(" - ")], [t("alias"), reply.alias], [t("answers_with"), reply.mode && t(`mode_${reply.mode}`)],
    [t("target"), reply.target], [t("place"), reply.place], [t("changes_at"), when(reply.until)], [t("opens_at"), when(reply.opens_at)], [t("ref"), reply.ref],
  ].filter((row) => row[1]);
  return h("div", {}, h("p", { class: reply.blocked ? "bad" : "good" }, t(reply.blocked ? "is_blocked" : "is_open", { name: reply.name || reply.address })),
    !reply.admitted && h("p", { class: "warn" }, t("not_admitted")), reply.watched && h("p", { class: "warn" }, t("is_watched")),
    h("dl", { class: "why" }, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    language() === "en" && h("p", { class: "soft" }, reply.text), // the reason says it in other languages
    reply.listed.length > 0 && table(t("listed_by"), [t("list"), t("category"), t("entry"), t("covers"), t("here")],
      reply.listed.map((one) => [one.list, label(catalog.categories, one.category), one.entry, t(`covers_${one.covers}`),
        one.exception ? t("exception") : one.shadow ? t("shadow") : t(one.blocked_here ? "blocked" : "not_blocked")])));
}

function asking({ mine, may }) {
  const name = text({ required: true, inputmode: "url", placeholder: "www.example.com" }), client = text({ placeholder: "10.0.0.7" });
  const group = select([["", t("any")], ...mine.settings.groups.map((one) => [one.settings.name, one.settings.name])]);
  const at = h("input", { type: "datetime-local" }), out = h("div", { "aria-live": "polite" });
  const ask = async () => {
    const asked = nameOf(name.value);
    const reply = await get(`check?${query({ name: asked, client: client.value.trim(), group: client.value ? "" : group.value, at: at.value ? Math.floor(new Date(at.value) / 1000) : "" })}`);
    const decide = (action) => button(t(action === "allow" ? "allow_it" : "block_it"), async () => {
      await post(`rules/${action}`, { name: asked });
      await ask();
    });
    fill(out, h("h3", {}, t("result")), why(reply, mine.catalog), may.change() && h("p", { class: "buttons" }, decide(reply.blocked ? "allow" : "block")));
  };
  return section(t("check_title"), form([field(t("name"), name), field(t("client_or"), client), field(t("group"), group), field(t("at"), at)], t("check_do"), ask), out);
}

/** What one device asks, in memory alone, until it ends. */
function watching({ onLeave }) {
  const client = text({ required: true, placeholder: "10.0.0.7" }), note = text();
  const span = select([["300", t("minutes", { n: 5 })], ["900", t("minutes", { n: 15 })], ["1800", t("minutes", { n: 30 })]]);
  const out = h("div", {});
  let timer = 0, offset = 0, rows = [];
  const read = async () => {
    const reply = await get(`watch?offset=${offset}`);
    offset = reply.offset;
    rows = [...reply.entries, ...rows].slice(0, 200);
    fill(out, h("p", {}, t(reply.active ? "watch_runs" : "watch_over")), table(t("watched"), [t("time"), t("name"), t("type"), t("answer"), t("reason")],
      rows.map((one) => [new Date(one.at * 1000).toLocaleTimeString(), one.name, one.type, one.blocked ? h("span", { class: "bad" }, t("blocked")) : one.rcode, t(`reason_${one.reason}`)])));
    timer = reply.active ? setTimeout(() => read().catch(() => {}), 2000) : 0;
  };
  onLeave(() => clearTimeout(timer));
  return section(t("watch_title"), h("p", { class: "soft" }, t("watch_words")),
    form([field(t("client"), client), field(t("how_long"), span), field(t("note"), note)], t("watch_do"), async () => {
      await post("watch", { client: client.value.trim(), for_s: Number(span.value), note: note.value });
      offset = 0;
      rows = [];
      clearTimeout(timer);
      await read();
    }, ""), h("p", { class: "buttons" }, button(t("watch_stop"), async () => { await post("watch/stop"); await read(); })), out);
}

export async function show(state) {
  return [asking(state), state.may.admin() && watching(state)].filter(Boolean);
}
