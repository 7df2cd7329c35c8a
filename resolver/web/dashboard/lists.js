// SPDX-License-Identifier: Apache-2.0
// Block lists: which, how old, from the catalogue or elsewhere; updates, what they changed, and back.
import { age, button, field, fill, form, get, h, label, number, post, quoted, say, section, select, sure, table, text, when } from "./parts.js";
import { t } from "./words.js";

const SHOWN = 12;

/** How far the update is, and what came of the last one. */
function progress(state) {
  const node = h("div", { "aria-live": "polite" }), card = section(t("update"), node);
  let timer = 0, ran = false;
  function draw(reply) {
    const last = reply.last;
    const busy = reply.waiting || last.state === "running";
    if (busy) {
      const at = last.progress || {};
      fill(node, h("p", {}, reply.waiting ? t("update_waits") : `${t(`what_${last.what}`)}: ${at.source || ""} ${at.phase || at.status || ""} ${at.names ? number(at.names) : ""}`), h("progress", { "aria-label": t("update") }));
    } else if (last.state) {
      fill(node, h("p", { class: last.state === "done" ? "good" : "bad" }, `${t(`what_${last.what}`)}: ${t(`update_${last.state}`)} - ${when(last.finished_at)}`),
        last.result.error && quoted("p", last.result.error, { class: "bad" }), last.what === "diff" && last.state === "done" ? difference(last.result) : "");
    }
    card.hidden = !node.firstChild; // nothing was ever asked for
    if (ran && !busy) state.again();
    ran = busy;
    timer = busy ? setTimeout(poll, 1000) : 0;
  }
  const poll = () => get("updates").then(draw).catch((error) => { // the daemon may be starting anew
    say(error.message, true);
    if (error.status !== 401) timer = setTimeout(poll, 5000);
  });
  state.onLeave(() => clearTimeout(timer));
  card.start = async (body) => {
    await post("updates", body);
    ran = true;
    clearTimeout(timer);
    await poll();
  };
  card.draw = draw;
  return card;
}

function difference(result) {
  const names = result.names || [];
  return h("div", {}, h("p", {}, t("from_to", { from: result.before, to: result.after })),
    table(t("difference"), [t("list"), t("added"), t("removed"), t("changed")], (result.lists || []).map((one) => [one.list, one.added, one.removed, one.changed])),
    names.length > 0 && h("details", {}, h("summary", {}, t("some_names")), h("p", {}, names.map((one) => (typeof one === "string" ? one : one.name)).join(", "))));
}

function sources(state, status, live) {
  const { catalog, settings } = state.mine;
  const known = new Map(status.lists.sources.map((one) => [one.id, one]));
  const put = (one) => post("settings", { put: { lists: { sources: [one] } } }).then(state.again);
  const rows = settings.sources.map(({ settings: one, file }) => {
    const now = known.get(one.id) || {};
    const managed = file.endsWith("managed.yaml");
    const actions = state.may.admin() ? [h("div", { class: "buttons" }, one.enabled && button(t("update"), () => live.start({ what: "update", lists: [one.id] })),
      button(t(one.enabled ? "switch_off" : "switch_on"), () => put({ id: one.id, enabled: !one.enabled })),
      managed && sure(t("remove"), () => post("settings", { remove: [one.id] }).then(state.again)))] : [];
    return [h("span", { title: one.url }, one.id), label(catalog.categories, one.category), now.entries || 0, age(now.fetched_at),
      !one.enabled ? t("off") : now.error ? quoted("span", now.error, { class: "bad" }) : one.shadow ? t("shadow") : t("good"), ...actions];
  });
  return section(t("in_use"), table(t("in_use"), [t("list"), t("category"), t("names"), t("fetched"), t("state"), ...(state.may.admin() ? [t("actions")] : [])], rows, { empty: t("no_lists"), rows: true }),
    state.may.admin() && h("p", { class: "buttons" }, button(t("update_all"), () => live.start({ what: "update" }), "main")));
}

function adding(state) {
  const { catalog, settings } = state.mine, have = new Set(settings.sources.map((one) => one.settings.id));
  const filter = text({ type: "search" }), out = h("div", {});
  const add = (list) => button(t("add"), async () => {
    const keys = { id: list.id, url: list.url, category: list.category, format: list.format || "auto", match: list.match || "auto" };
    if (list.every_h) keys.update_every_h = list.every_h;
    await post("settings", { put: { lists: { sources: [keys] } } });
    say(t("list_added"));
    await state.again();
  });
  const draw = () => {
    const word = filter.value.toLowerCase();
    const found = catalog.lists.filter((one) => !have.has(one.id) && [one.id, one.title, one.publisher, one.category, label(catalog.categories, one.category)].join(" ").toLowerCase().includes(word));
    fill(out, table(t("from_catalog"), [t("list"), t("category"), t("publisher"), t("licence"), t("names"), t("add")],
      found.slice(0, SHOWN).map((one) => [h("span", {}, one.title || one.id, one.rules && h("small", { class: "soft", lang: "en" }, ` ${one.rules}`)), label(catalog.categories, one.category), one.publisher, one.licence, one.names || "", add(one)]), { rows: true }),
      found.length > SHOWN && h("p", { class: "soft" }, t("search_more", { n: found.length - SHOWN })));
  };
  filter.addEventListener("input", draw);
  draw();
  const id = text({ required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*" }), url = h("input", { type: "url", required: true, placeholder: "https://" });
  const category = select(catalog.categories.map((one) => [one.id, label(catalog.categories, one.id)]));
  return [section(t("from_catalog"), field(t("search"), filter), out),
    section(t("from_elsewhere"), form([field(t("short_name"), id), field(t("url"), url), field(t("category"), category)], t("add"), () =>
      post("settings", { put: { lists: { sources: [{ id: id.value, url: url.value, category: category.value }] } } }).then(state.again)))];
}

function generations(state, reply, live) {
  const rows = reply.generations.sort((a, b) => b.generation - a.generation).map((one) => [`${one.generation}`, when(one.made_at), one.in_force ? h("span", { class: "good" }, t("in_force_now")) : "",
    ...(state.may.admin() ? [h("div", { class: "buttons" }, !one.in_force && sure(t("back_to_it"), () => live.start({ what: "rollback", generation: one.generation })),
      !one.in_force && button(t("compare"), () => live.start({ what: "diff", generation: one.generation })))] : [])]);
  return section(t("generations"), h("p", { class: "soft" }, t("generations_words")), table(t("generations"), [t("number"), t("made"), t("state"), ...(state.may.admin() ? [t("actions")] : [])], rows, { empty: t("no_generations"), rows: true }));
}

export async function show(state) {
  const live = progress(state);
  const [status, updates, settings] = await Promise.all([get("status"), get("updates"), get("settings")]);
  state.mine.settings = settings;
  live.draw(updates);
  return [live, sources(state, status, live), ...(state.may.admin() ? adding(state) : []), generations(state, updates, live)];
}
