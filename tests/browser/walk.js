// SPDX-License-Identifier: Apache-2.0
// Uses the dashboard with a real Chromium, step by step, and prints what it saw as JSON:
//   node walk.js FILE    the file: {"chromium": PATH, "modules": FOLDER, "options": {...}, "steps": [[VERB, ...], ...]}
const path = require("path");
const fs = require("fs");

const wanted = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { chromium } = require(path.join(wanted.modules, "playwright-core"));
const axe = fs.readFileSync(path.join(wanted.modules, "axe-core", "axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const seen = { console: [], requests: [], failed: [], axe: {}, texts: {}, boxes: {}, overflow: {}, cookies: [] };

const input = (page, label) => page.getByLabel(label, { exact: true }).and(page.locator("input, select, textarea")).first();
const verbs = {
  open: (page, url) => page.goto(url, { waitUntil: "load" }),
  fill: (page, label, value) => input(page, label).fill(value),
  choose: (page, label, value) => input(page, label).selectOption(value),
  tick: (page, label) => input(page, label).check(),
  press: (page, name) => page.getByRole("button", { name, exact: true }).first().click(),
  link: (page, name) => page.getByRole("link", { name, exact: true }).first().click(),
  key: (page, key) => page.keyboard.press(key),
  see: (page, text) => page.getByText(text).first().waitFor({ state: "visible" }),
  cell: (page, text) => page.getByRole("cell", { name: text, exact: true }).first().waitFor({ state: "visible" }),
  gone: (page, text) => page.getByText(text).first().waitFor({ state: "detached" }),
  heading: (page, text) => page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor(),
  settle: (page) => page.getByText(/^(불러오는 중…|Loading …)$/).first().waitFor({ state: "detached" }),
  shot: (page, file) => page.screenshot({ path: file, fullPage: true }),
  size: (page, width, height) => page.setViewportSize({ width, height }),
  media: (page, colorScheme) => page.emulateMedia({ colorScheme }),
  async text(page, key) { seen.texts[key] = await page.evaluate(() => document.body.innerText); },
  unfold: (page) => page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; })),
  async measure(page, key, selector) { // boxes of what is there, in pixels of the page
    seen.boxes[key] = await page.evaluate((which) => [...document.querySelectorAll(which)].map((node) => {
      const { left, right, top, bottom, height } = node.getBoundingClientRect();
      return { left, right, top: top + scrollY, bottom: bottom + scrollY, height };
    }), selector);
  },
  async wide(page, key) { seen.overflow[key] = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth); },
  async axe(page, key) {
    await page.evaluate(axe);
    const result = await page.evaluate((only) => window.axe.run(document, { runOnly: only }), tags);
    seen.axe[key] = { checked: result.passes.length, violations: result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`.slice(0, 600)) };
  },
};

(async () => {
  const browser = await chromium.launch({
    executablePath: wanted.chromium,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
  });
  const context = await browser.newContext({ locale: "ko-KR", timezoneId: "Asia/Seoul", viewport: { width: 1200, height: 900 }, ...wanted.options });
  const page = await context.newPage();
  page.setDefaultTimeout(wanted.timeout || 15000);
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("requestfailed", (request) => seen.failed.push(`${request.url()} ${request.failure().errorText}`));
  page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.console.push(`error: ${error.message}`));
  for (const [verb, ...rest] of wanted.steps) {
    try {
      await verbs[verb](page, ...rest);
    } catch (error) {
      seen.error = `${verb} ${rest.join(" ")}: ${String(error.message).split("\n").slice(0, 3).join(" ")}`;
      seen.texts.last = await page.evaluate(() => document.body.innerText).catch(() => "");
      break;
    }
  }
  seen.cookies = await context.cookies();
  await browser.close();
  console.log(JSON.stringify(seen));
})();
