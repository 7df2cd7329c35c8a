// SPDX-License-Identifier: Apache-2.0
// What pages are built of. All text reaches the page by textContent: names come from strangers.
import { said, t, language } from "./words.js";

let csrf = "";
let whenSignedOut = () => {};
export const setCsrf = (token) => { csrf = token; };
export const onSignedOut = (act) => { whenSignedOut = act; };

/** Ask the API; the reply, or an Error in its words. */
export async function api(method, path, body, again = true) {
  const headers = method === "POST" ? { "Content-Type": "application/json", "X-CSRF-Token": csrf } : {};
  let answer;
  try {
    answer = await fetch(`api/v1/${path}`, { method, headers, body: method === "POST" ? JSON.stringify(body || {}) : undefined });
  } catch {
    throw new Error(t("no_web"));
  }
  const reply = await answer.json().catch(() => ({ error: String(answer.status) }));
  if (answer.ok) {
    if (reply.csrf) csrf = reply.csrf;
    return reply;
  }
  if (reply.why === "csrf" && again) { // the web process was started anew
    await api("GET", "session");
    return api(method, path, body, false);
  }
  if (answer.status === 401) whenSignedOut();
  throw Object.assign(new Error(reply.why === "daemon" ? t("no_daemon") : said(reply.error)), { status: answer.status, why: reply.why });
}
export const get = (path) => api("GET", path);
export const post = (path, body) => api("POST", path, body);
export const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined)).toString();

/** An element: h("p", {class: "soft", onclick}, "text", node, ...). */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "required") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...there(children));
  return node;
}
const there = (children) => children.flat().filter((child) => child !== null && child !== undefined && child !== false);
/** Put others in the place of what a node holds. */
export const fill = (node, ...children) => node.replaceChildren(...there(children));

/** Say something at the foot of the page, and to screen readers. */
export function say(text, bad = false) {
  const place = document.getElementById("said");
  if (!place) return;
  const line = h("p", { class: bad ? "bad" : "", lang: foreign(text) ? "en" : undefined }, text);
  place.replaceChildren(line);
  setTimeout(() => line.remove(), bad ? 15000 : 6000);
}

async function run(button, action) {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}
export function button(label, action, kind = "") {
  const node = h("button", { type: "button", class: kind }, label);
  node.addEventListener("click", () => run(node, action));
  return node;
}
/** A button that asks once more before it acts. */
export function sure(label, action, kind = "danger") {
  const node = h("button", { type: "button", class: kind }, label);
  let timer = 0;
  node.addEventListener("click", () => {
    if (!timer) {
      node.textContent = t("press_again");
      timer = setTimeout(() => { timer = 0; node.textContent = label; }, 6000);
      return;
    }
    clearTimeout(timer);
    timer = 0;
    node.textContent = label;
    run(node, action);
  });
  return node;
}
export function form(fields, label, action, kind = "main") {
  const submit = h("button", { class: kind }, label);
  const node = h("form", {}, ...fields, submit);
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    run(submit, action);
  });
  return node;
}
let fields = 0;
export function field(label, input) {
  input.id = `field-${++fields}`;
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}
export const check = (label, input) => h("label", { class: "check" }, input, h("span", {}, label));
export const text = (props = {}) => h("input", { type: "text", autocomplete: "off", ...props });
export const box = (checked = false) => h("input", { type: "checkbox", checked });
export function select(options, value) {
  const node = h("select", {}, options.map(([id, label]) => h("option", { value: id }, label)));
  node.value = value === undefined ? options[0][0] : value;
  return node;
}
export const section = (title, ...children) => h("section", { class: "card" }, h("h2", {}, title), ...children);

/** A table; numbers are aligned to the right. `heads` are texts. The caption is for those who hear it, unless `shown`.
 * With `rows` each row is a small card of its own on a narrow screen; the roles keep it a table for those who hear it. */
export function table(caption, heads, rows, { empty = t("nothing"), shown = false, rows: cards = false } = {}) {
  if (rows.length === 0) return h("p", { class: "soft" }, empty);
  const role = (name) => (cards ? name : undefined);
  const numeric = heads.map((_, i) => rows.every((row) => typeof row[i] === "number" || row[i] === ""));
  const cell = (tag, value, i) => h(tag, { class: numeric[i] ? "n" : "", scope: tag === "th" ? "col" : undefined, role: role(tag === "th" ? "columnheader" : "cell"), "data-head": tag === "td" ? heads[i] : undefined },
    typeof value === "number" ? number(value) : value);
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, h("table", { class: cards ? "rows" : "", role: role("table") }, h("caption", { class: shown ? "" : "heard" }, caption),
    h("thead", { role: role("rowgroup") }, h("tr", { role: role("row") }, heads.map((head, i) => cell("th", head, i)))),
    h("tbody", { role: role("rowgroup") }, rows.map((row) => h("tr", { role: role("row") }, row.map((value, i) => cell("td", value, i)))))));
}

/** What a program said, in the reader's language where that is known; else marked as English. */
export function quoted(tag, words, props = {}) {
  const text = said(words);
  return h(tag, { ...props, lang: foreign(text) ? "en" : undefined }, text);
}
const foreign = (text) => language() === "ko" && !/[\uac00-\ud7a3]/.test(text);

/** The name in what people paste: of a page's address the host, of other scripts the xn-- form. */
export function nameOf(words) {
  const word = words.trim().replace(/^\*\./, "");
  if (/^[0-9.]+$/.test(word) || /:.*:/.test(word.replace("://", ""))) return word; // an address
  let host = "";
  try {
    host = new URL(word.includes("://") ? word : `http://${word}`).hostname.replace(/^\[|\]$/g, "");
  } catch { /* no name either */ }
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(host)) throw new Error(t("no_name", { name: word }));
  return host;
}

export const number = (value) => new Intl.NumberFormat(language()).format(value);
export const percent = (part, whole) => new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 1 }).format(whole ? part / whole : 0);
export const when = (seconds) => seconds ? new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000) : "";
/** The same for a table: it stays in one line. */
export const moment = (seconds) => seconds ? h("time", { datetime: new Date(seconds * 1000).toISOString() }, when(seconds)) : "";
/** "2 hours", "7 days". */
export function lasting(seconds) {
  const [size, unit] = seconds % 86400 === 0 ? [86400, "day"] : seconds % 3600 === 0 ? [3600, "hour"] : [60, "minute"];
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(seconds / size);
}
export const day = (seconds) => seconds ? new Intl.DateTimeFormat(language(), { dateStyle: "medium" }).format(seconds * 1000) : "";
export function age(seconds) {
  if (!seconds) return t("never");
  const since = Date.now() / 1000 - seconds;
  if (since < 60) return t("just_now");
  const [size, unit] = since < 5400 ? [60, "minute"] : since < 129600 ? [3600, "hour"] : [86400, "day"];
  return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(-Math.round(since / size), unit);
}
/** Choices of how long something holds, in seconds. */
export const spans = () => [["0", t("for_good")], ["3600", t("hour_1")], ["86400", t("day_1")], ["604800", t("days_7")], ["2592000", t("days_30")]];
/** "games" and so on in the reader's language, of an array of the catalogue. */
export function label(items, id) {
  const item = items.find((one) => one.id === id);
  if (id === "none") return t("no_category"); // of sums: a rule blocked, no list
  return item ? item.names[language()] || item.names.en || id : id;
}
/** Boxes for ids; `.chosen()` tells which are ticked. Many are folded away, with what is ticked said. */
export function choices(legend, items, chosen, folded = false) {
  const boxes = items.map((item) => [item.id, box(chosen.includes(item.id))]);
  const grid = h("div", { class: "choices" }, boxes.map(([id, input]) => check(label(items, id), input)));
  const summary = h("summary", {});
  const count = () => { summary.textContent = node.chosen().map((id) => label(items, id)).join(", ") || t("nothing"); };
  const node = h("fieldset", {}, h("legend", {}, legend), folded ? h("details", {}, summary, grid) : grid);
  node.chosen = () => boxes.filter(([, input]) => input.checked).map(([id]) => id);
  node.addEventListener("change", count);
  count();
  return node;
}
