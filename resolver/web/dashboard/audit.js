// SPDX-License-Identifier: Apache-2.0
// Who changed what: the newest lines of a log that cannot be changed unseen.
import { button, fill, get, h, label, lasting, moment, section, table, when } from "./parts.js";
import { known, t } from "./words.js";

const SHOWN = 25; // at once: a phone shows few
const NAMES = ["block", "services", "allow", "only", "prefer", "what", "category"]; // hold ids of the catalogue

/** Whose process it was, when nobody had signed in: of numbers only one is the same everywhere. */
const user = (uid) => (uid < 0 ? t("a_signal") : uid === 0 ? "root" : `uid ${uid}`);
const who = (entry) => entry.details.by || (["sign-in", "set-up"].includes(entry.command) ? entry.details.account : user(entry.uid));
/** The command in plain words, if there are some. */
const done = (command) => (known[`did_${command}`] ? t(`did_${command}`) : command);

/** A value of a line in words. */
function told(key, value, catalog) {
  if (Array.isArray(value)) return value.map((one) => told(key, one, catalog)).join(typeof value[0] === "object" ? "; " : ", ") || t("nothing");
  if (value !== null && typeof value === "object") return members(value, catalog);
  if (key === "for_s") return lasting(value);
  if (key === "until" || key === "from") return typeof value === "number" ? when(value) : value;
  if (key === "kind" || key === "role") return t(`${key}_${value}`);
  if (typeof value === "boolean") return t(value ? "on" : "off");
  return NAMES.includes(key) ? String(value).split(",").map((id) => (id === "all" ? t("all") : label([...catalog.categories, ...catalog.services], id))).join(", ") : String(value);
}
/** "games.example, for how long 2 hours": what is called by a name comes first. */
function members(object, catalog) {
  return Object.entries(object).map(([key, value]) => (["name", "id", "account", "label", "put"].includes(key) ? told(key, value, catalog)
    : key === "pattern" ? `/${value}/` : value === true && key !== "enabled" ? t(`in_${key}`) : `${t(`in_${key}`)} ${told(key, value, catalog)}`)).map((part) => part.replace(/^in_/, "")).join(", ");
}
function what(details, catalog) {
  const told = Object.entries(details).filter(([key, value]) => !["by", "note", "generation"].includes(key) && value !== false);
  return members(Object.fromEntries(told), catalog);
}

export async function show({ mine }) {
  const out = h("div", {});
  let entries = [], shown = SHOWN, reply = null;
  const draw = () => fill(out, reply.broken > 0 && h("p", { class: "bad" }, t("audit_broken", { n: reply.broken })),
    table(t("page_audit"), [t("time"), t("who"), t("did"), t("what"), t("note")], entries.slice(0, shown).map((one) =>
      [moment(one.at), who(one), done(one.command), what(one.details || {}, mine.catalog), (one.details || {}).note || ""]), { rows: true }),
    shown < reply.count ? h("p", { class: "buttons" }, button(t("older"), async () => { shown += SHOWN; await more(); })) : "");
  const more = async () => {
    if (!reply || (entries.length < shown && entries.length < reply.count)) {
      reply = await get(`audit?offset=${entries.length}`);
      entries = [...entries, ...reply.entries];
    }
    draw();
  };
  await more();
  return section(t("page_audit"), h("p", { class: "soft" }, t("audit_words")), out);
}
