// SPDX-License-Identifier: Apache-2.0
// Is the network protected, what was asked, what was blocked - sums, never who.
import { age, fill, get, h, label, number, percent, query, quoted, say, section, select, field, table, when } from "./parts.js";
import { chart } from "./charts.js";
import { language, t } from "./words.js";

const HOUR = 3600, DAY = 24 * HOUR;
const now = () => Math.floor(Date.now() / 1000);
const stats = (by, since, until) => get(`stats?${query({ by, since, until })}`);

function midnight() {
  const at = new Date();
  at.setHours(0, 0, 0, 0);
  return Math.floor(at.getTime() / 1000);
}

/** Health, renewed by events while nobody has pressed pause. */
function health(state) {
  const card = h("section", { class: "card state wide" });
  const pause = h("button", { type: "button", "aria-pressed": "false" }, t("pause_live"));
  const live = h("dl", { class: "figures" });
  let source = null, before = null, again = 0;

  function draw(status) {
    const reasons = status.reasons || [];
    card.className = `card state wide ${status.state}`;
    const figure = (name, value, small) => h("div", {}, h("dt", {}, name), h("dd", {}, value, small && h("small", {}, small)));
    const at = performance.now();
    const rate = before && before.status.uptime_s <= status.uptime_s
      ? Math.max(0, (status.queries - before.status.queries) * 1000 / (at - before.at)) : 0;
    before = { status, at };
    fill(live, 
      figure(t("per_second"), number(Math.round(rate))),
      figure(t("since_start"), number(status.queries), t("blocked_n", { n: number(status.blocked) })),
      figure(t("names_listed"), number(status.lists.names)),
      figure(t("cached"), number(status.cache.entries), `${number(Math.round(status.cache.bytes / 1048576))} MB`));
    fill(card, h("h2", {}, t("state")), h("p", { class: "big" }, t(`state_${status.state}`)),
      reasons.length > 0 && h("ul", {}, reasons.map((reason) => quoted("li", reason)), status.reasons_more > 0 && h("li", {}, t("and_more", { n: status.reasons_more }))),
      status.reviews_waiting > 0 && h("p", {}, h("a", { href: "#/requests" }, t("requests_wait", { n: number(status.reviews_waiting) }))),
      live, h("p", { class: "buttons" }, pause));
  }
  function down(what) {
    card.className = "card state wide down";
    fill(card, h("h2", {}, t("state")), h("p", { class: "big" }, what), h("p", {}, t("no_daemon_words")));
  }
  function listen() {
    source = new EventSource("api/v1/events");
    source.addEventListener("status", (event) => draw(JSON.parse(event.data)));
    source.addEventListener("down", () => down(t("no_daemon")));
    source.addEventListener("error", lost);
  }
  /** Nothing comes any more: signed out, another page of ours took the place, or no web process. */
  function lost() {
    down(t("no_live"));
    if (source && source.readyState === EventSource.CLOSED) {
      source = null;
      again = setTimeout(() => get("session").then(listen, () => {}), 10000);
    }
  }
  pause.addEventListener("click", () => {
    const paused = source !== null;
    if (paused) source.close();
    source = null;
    if (!paused) listen();
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = t(paused ? "go_on_live" : "pause_live");
  });
  draw(state.status);
  listen();
  state.onLeave(() => { clearTimeout(again); if (source) source.close(); });
  return card;
}

function today(day, before, until) {
  const figure = (name, one, other) => h("div", {}, h("dt", {}, name), h("dd", {}, one, h("small", {}, t("week_ago", { n: other }))));
  const a = day.totals, b = before.totals;
  const ms = (totals) => `${(totals.latency_mean_us / 1000).toFixed(2)} ms`;
  return h("section", { class: "card wide" }, h("h2", {}, t("today_until", { at: when(until) })), h("dl", { class: "figures" },
    figure(t("queries"), number(a.queries), number(b.queries)), figure(t("blocked"), number(a.blocked), number(b.blocked)),
    figure(t("share_blocked"), percent(a.blocked, a.queries), percent(b.blocked, b.queries)),
    figure(t("from_cache"), percent(a.from_cache, a.queries), percent(b.from_cache, b.queries)),
    figure(t("on_average"), ms(a), ms(b))));
}

/** Queries and blocks in steps of an hour or a day. */
function overTime(result, span) {
  const step = span > 3 * DAY ? DAY : HOUR;
  const at = result.columns.indexOf("blocked");
  const sums = new Map();
  const key = (seconds) => {
    const date = new Date(seconds * 1000);
    if (step === DAY) date.setHours(0, 0, 0, 0);
    else date.setMinutes(0, 0, 0);
    return date.getTime();
  };
  for (let seconds = result.since; seconds <= now(); seconds += HOUR) sums.set(key(seconds), [0, 0]);
  for (const row of result.rows) {
    const sum = sums.get(key(Date.parse(row[0]) / 1000)) || [0, 0];
    sums.set(key(Date.parse(row[0]) / 1000), [sum[0] + row[1], sum[1] + row[at]]);
  }
  const format = new Intl.DateTimeFormat(language(), step === DAY ? { month: "numeric", day: "numeric" } : { hour: "numeric", hour12: false });
  const keys = [...sums.keys()].sort((a, b) => a - b);
  return chart({
    title: t("over_time"), axis: t("time"), type: "line", labels: keys.map((one) => format.format(one)),
    series: [{ label: t("queries"), data: keys.map((one) => sums.get(one)[0]) }, { label: t("blocked"), data: keys.map((one) => sums.get(one)[1]) }],
  });
}

/** Blocks by the hour of the day; the six largest categories. */
function byHour(result, catalog) {
  const at = result.columns.indexOf("blocked"), sums = new Map();
  for (const row of result.rows) {
    if (row[at] === 0) continue;
    const hours = sums.get(row[1]) || Array(24).fill(0);
    hours[new Date(Date.parse(row[0])).getHours()] += row[at];
    sums.set(row[1], hours);
  }
  const total = (hours) => hours.reduce((sum, one) => sum + one, 0);
  const most = [...sums.entries()].sort((a, b) => total(b[1]) - total(a[1])).slice(0, 6);
  if (most.length === 0) return h("p", { class: "soft" }, t("nothing_blocked"));
  return chart({
    title: t("by_hour"), axis: t("hour"), type: "bar", stacked: true, labels: Array.from({ length: 24 }, (_, hour) => String(hour)),
    series: most.map(([id, data]) => ({ label: label(catalog.categories, id), data })),
  });
}

function byGroup(result) {
  const at = result.columns.indexOf("blocked");
  return chart({
    title: t("groups"), axis: t("group"), type: "bar", sideways: true, labels: result.rows.map((row) => row[0]),
    series: [{ label: t("queries"), data: result.rows.map((row) => row[1]) }, { label: t("blocked"), data: result.rows.map((row) => row[at]) }],
  });
}

async function domains(settings, since) {
  if (!settings.domains) return section(t("top_domains"), h("p", { class: "soft" }, t("domains_off")));
  const result = await stats("domain", since);
  const at = result.columns.indexOf("blocked");
  const top = (column) => result.rows.filter((row) => row[0] !== "other" && row[column] > 0).sort((a, b) => b[column] - a[column]).slice(0, 10);
  return section(t("top_domains"), h("p", { class: "soft" }, t("domains_rule", { n: settings.min_clients })),
    table(t("most_blocked"), [t("domain"), t("blocked")], top(at).map((row) => [row[0], row[at]]), { shown: true }),
    table(t("most_allowed"), [t("domain"), t("queries")], top(result.columns.indexOf("answered")).map((row) => [row[0], row[result.columns.indexOf("answered")]]), { shown: true }));
}

const upstreams = (status) => section(t("upstreams"), table(t("upstreams"), [t("address"), t("state"), "ms", t("failures")],
  status.upstreams.map((one) => [one.address, h("span", { class: one.ok ? "good" : "bad" }, t(!one.answers && !one.failures ? "not_asked" : one.ok ? "works" : "fails")), Math.round(one.srtt_ms), one.failures]), { rows: true }));

const listAges = (status, catalog) => section(t("page_lists"), table(t("page_lists"), [t("list"), t("category"), t("names"), t("fetched"), t("state")],
  status.lists.sources.map((one) => [one.id, label(catalog.categories, one.category), one.entries, age(one.fetched_at),
    one.error ? quoted("span", one.error, { class: "bad" }) : t("good")]), { empty: t("no_lists"), rows: true }));

function radar(result) {
  const ways = ["doh", "relay", "canary", "vpn", "proxy", "tor", "pages", "address", "listed"];
  const rows = result.groups.map((group) => [group.group, ...ways.map((way) => group[way] || 0), result.devices_known ? t("of", { n: group.silent, all: group.devices }) : "-"]);
  return h("section", { class: "card wide" }, h("h2", {}, t("radar")), h("p", { class: "soft" }, t("radar_words", { since: age(now() - result.up_s) })),
    result.alert && quoted("p", result.alert, { class: "warn" }),
    table(t("radar"), [t("group"), ...ways.map((way) => t(`way_${way}`)), t("silent")], rows));
}

export async function show(state) {
  const catalog = state.mine.catalog;
  let span = DAY;
  // Whole hours: sums have no smaller steps, and half an hour must not be compared with a whole one.
  const start = midnight(), whole = Math.max(start + HOUR, now() - now() % HOUR);
  const [status, day, before, ways] = await Promise.all([get("status"), stats("hour", start, whole - 1),
    stats("hour", start - 7 * DAY, whole - 7 * DAY - 1), get("radar")]);
  const drawn = h("div", {}), choose = select([[String(DAY), t("last_day")], [String(7 * DAY), t("last_week")], [String(31 * DAY), t("last_month")]]);
  const content = h("div", { class: "cards" }, health({ ...state, status }), today(day, before, whole),
    h("section", { class: "card wide" }, h("div", { class: "buttons" }, field(t("span"), choose)), drawn));
  async function draw() {
    const since = now() - span;
    const [hours, groups, categories, names] = await Promise.all([stats("hour", since), stats("group", since),
      stats("category-hour", Math.max(since, now() - 7 * DAY)), domains(state.mine.settings, since).catch((error) => section(t("top_domains"), h("p", { class: "bad" }, error.message)))]);
    fill(drawn, h("h2", {}, t("over_time")), overTime(hours, span), h("h2", {}, t("by_hour")), span > 7 * DAY && h("p", { class: "soft" }, t("last_week")), byHour(categories, catalog),
      h("h2", {}, t("groups")), byGroup(groups));
    const old = content.querySelector(".domains");
    names.classList.add("domains");
    if (old) old.replaceWith(names);
    else content.append(names);
  }
  choose.addEventListener("change", () => { span = Number(choose.value); draw().catch((error) => say(error.message, true)); });
  await draw();
  content.append(upstreams(status), listAges(status, catalog), radar(ways),
    h("p", { class: "soft wide" }, t("shown_at", { at: when(now()), version: status.version })));
  return content;
}
