// SPDX-License-Identifier: Apache-2.0
// What people asked on the warning page to be looked at again.
import { box, check, day, field, form, get, h, label, post, say, section, select, spans, sure, table, text, when } from "./parts.js";
import { t } from "./words.js";

function open(review, state) {
  const span = select(spans(), "604800"), everybody = box(), word = text({ maxlength: "200" });
  const answer = (path, more) => async () => {
    await post(`reviews/${path}`, { code: review.code, note: word.value, ...more() });
    say(t(path === "approve" ? "approved" : "denied"));
    await state.again();
  };
  const approve = answer("approve", () => ({ everybody: everybody.checked, ...(span.value === "0" ? {} : { for_s: Number(span.value) }) }));
  return h("section", { class: "card" }, h("h2", {}, review.name),
    h("p", {}, t("asked_for", { group: review.group, category: label(state.mine.catalog.categories, review.category) || t(`reason_${review.reason}`), n: review.times, from: day(review.first_day), to: day(review.last_day) })),
    review.texts.length > 0 && h("ul", {}, review.texts.map((one) => h("li", {}, one))),
    h("p", {}, h("a", { href: `https://${review.name}/`, rel: "noreferrer noopener", target: "_blank" }, t("look_at_it"))),
    state.may.change() && form([field(t("how_long"), span), check(t("for_all_groups"), everybody), field(t("word_back"), word),
      sure(t("deny"), answer("deny", () => ({})))], t("approve"), approve));
}

export async function show(state) {
  const reply = await get("reviews?all=true");
  const waiting = reply.reviews.filter((one) => one.state === "waiting"), done = reply.reviews.filter((one) => one.state !== "waiting");
  return [waiting.length === 0 ? h("p", { class: "soft" }, t("no_requests")) : h("div", { class: "cards" }, waiting.map((one) => open(one, state))),
    reply.cut && h("p", { class: "soft" }, t("more_requests")),
    section(t("answered"), table(t("answered"), [t("name"), t("group"), t("answer"), t("until"), t("word_back"), t("day")],
      done.map((one) => [one.name, one.group, t(`review_${one.state}`), one.state === "approved" ? when(one.until) || t("for_good") : "", one.answer, day(one.answered_day)])))];
}
