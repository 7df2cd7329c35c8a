// SPDX-License-Identifier: Apache-2.0
// Which page is shown, and what stands around it.
import { fill, get, h, onSignedOut, post, say, setCsrf } from "./parts.js";
import { chooseLanguage, language, t } from "./words.js";
import { forget } from "./charts.js";
import * as sign from "./sign.js";
import * as home from "./home.js";
import * as check from "./check.js";
import * as requests from "./requests.js";
import * as rules from "./rules.js";
import * as times from "./times.js";
import * as groups from "./groups.js";
import * as lists from "./lists.js";
import * as people from "./people.js";
import * as audit from "./audit.js";

const pages = [
  { id: "home", page: home }, { id: "check", page: check }, { id: "requests", page: requests },
  { id: "rules", page: rules }, { id: "times", page: times }, { id: "groups", page: groups },
  { id: "lists", page: lists }, { id: "people", page: people, admin: true }, { id: "audit", page: audit, admin: true },
  { id: "password", page: sign.password, hidden: true },
];
const mine = { account: "", role: "", catalog: null, settings: null };
const said = h("div", { id: "said", role: "status" }); // it outlives the page that said it
let leave = null; // what the page shown wants done when another comes

const may = {
  change: () => mine.role === "teacher" || mine.role === "admin",
  admin: () => mine.role === "admin",
};

function languageButton() {
  const other = language() === "ko" ? "en" : "ko";
  return h("button", { type: "button", class: "plain", lang: other, onclick: () => { chooseLanguage(other); show(); } }, other === "ko" ? "한국어" : "English");
}

function header() {
  const out = async () => {
    await post("sign-out").catch(() => {});
    mine.role = "";
    location.hash = "#/sign-in";
  };
  return h("header", {}, h("span", { class: "brand" }, h("img", { src: "icon.svg", alt: "" }), "greengate"),
    h("span", { class: "soft" }, mine.settings ? mine.settings.organisation : ""), h("span", { class: "space" }),
    languageButton(), mine.role && h("a", { href: "#/password" }, mine.account),
    mine.role && h("button", { type: "button", onclick: out }, t("sign_out")));
}

function frame(id, title, content) {
  const links = pages.filter((one) => !one.hidden && (!one.admin || may.admin()))
    .map((one) => h("li", {}, h("a", { href: `#/${one.id}`, "aria-current": one.id === id ? "page" : undefined }, t(`page_${one.id}`))));
  const heading = h("h1", { tabindex: "-1" }, title);
  document.title = `${title} - greengate`;
  fill(document.body, h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); heading.focus(); } }, t("skip")),
    header(), h("div", { class: "frame" }, h("nav", { "aria-label": t("pages") }, h("ul", {}, links)), h("main", { id: "main" }, heading, content)),
    said);
  heading.focus({ preventScroll: true });
}

function alone(title, content) {
  document.title = `${title} - greengate`;
  fill(document.body, header(), h("main", { class: "alone card" }, h("h1", { tabindex: "-1" }, title), content),
    said);
}

async function load() {
  const session = await get("session");
  setCsrf(session.csrf);
  mine.account = session.account;
  mine.role = session.role;
  [mine.catalog, mine.settings] = await Promise.all([mine.catalog || get("catalog"), get("settings")]);
}

let turn = 0; // of pages: what an older one still does is of no use

async function show() {
  const mine_turn = ++turn;
  if (leave) leave();
  leave = null;
  forget();
  document.documentElement.lang = language();
  const [id, rest] = location.hash.slice(2).split("/");
  if (id === "set-up") return alone(t("set_up"), sign.setUp(rest || "", enter));
  if (id === "sign-in") return alone(t("sign_in"), sign.signIn(enter));
  const found = pages.find((one) => one.id === id && (!one.admin || may.admin())) || pages[0];
  try {
    if (!mine.role) await load();
    const state = { mine, may, again: () => (mine_turn === turn ? show() : null), onLeave: (act) => { if (mine_turn === turn) leave = act; else act(); } };
    frame(found.id, t(`page_${found.id}`), h("p", { class: "soft" }, t("loading")));
    const content = await found.page.show(state);
    const main = document.getElementById("main");
    if (main && mine_turn === turn) fill(main, main.firstChild, ...[content].flat());
  } catch (error) {
    if (error.status === 401 || mine_turn !== turn) return null;
    if (document.getElementById("main")) say(error.message, true);
    else alone("greengate", [h("p", { class: "bad" }, error.message), h("p", {}, t("still_filters")), h("button", { type: "button", onclick: show }, t("try_again"))]);
    const main = document.getElementById("main");
    if (main && main.querySelector("p.soft")) fill(main, main.firstChild, h("p", { class: "bad" }, error.message), h("p", {}, t("still_filters")), h("button", { type: "button", onclick: show }, t("try_again")));
  }
  return null;
}

async function enter() {
  mine.role = "";
  await load();
  location.hash = "#/home";
}

onSignedOut(() => {
  mine.role = "";
  if (location.hash !== "#/sign-in") location.hash = "#/sign-in";
  else show();
});
addEventListener("hashchange", show);
show();
