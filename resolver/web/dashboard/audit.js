// SPDX-License-Identifier: Apache-2.0
// Who changed what: the newest lines of a log that cannot be changed unseen.
import { button, fill, get, h, section, table, when } from "./parts.js";
import { known, t } from "./words.js";

const who = (entry) => entry.details.by || (["sign-in", "set-up"].includes(entry.command) ? entry.details.account : entry.uid >= 0 ? `uid ${entry.uid}` : t("a_signal"));
/** The command in plain words, if there are some. */
const done = (command) => (known[`did_${command}`] ? t(`did_${command}`) : command);
function what(details) {
  return Object.entries(details).filter(([key, value]) => !["by", "note", "generation"].includes(key) && value !== false)
    .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

export async function show() {
  const out = h("div", {});
  let entries = [];
  const more = async () => {
    const reply = await get(`audit?offset=${entries.length}`);
    entries = [...entries, ...reply.entries];
    fill(out, reply.broken > 0 && h("p", { class: "bad" }, t("audit_broken", { n: reply.broken })),
      table(t("page_audit"), [t("time"), t("who"), t("did"), t("what"), t("note")], entries.map((one) => [when(one.at), who(one), done(one.command), what(one.details || {}), (one.details || {}).note || ""])),
      entries.length < reply.count ? h("p", { class: "buttons" }, button(t("older"), more)) : "");
  };
  await more();
  return section(t("page_audit"), h("p", { class: "soft" }, t("audit_words")), out);
}
