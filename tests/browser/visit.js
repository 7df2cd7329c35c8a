// SPDX-License-Identifier: Apache-2.0
// Visits addresses with a real Chromium and prints what it saw as JSON:
//   node visit.js '{"chromium": PATH, "modules": FOLDER, "visits": [{url, width, dark, media, language, shot, axe}]}'
const path = require("path");
const fs = require("fs");

const wanted = JSON.parse(process.argv[2]);
const { chromium } = require(path.join(wanted.modules, "playwright-core"));
const axe = fs.readFileSync(path.join(wanted.modules, "axe-core", "axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function visit(browser, one) {
  const context = await browser.newContext({
    bypassCSP: !!one.axe, // what the page itself loads is counted
    colorScheme: one.dark ? "dark" : "light",
    locale: one.language || "ko-KR",
    viewport: { width: one.width || 800, height: 900 },
  });
  const page = await context.newPage();
  const seen = { requests: [], failed: [], console: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("requestfailed", (request) => seen.failed.push(request.url()));
  page.on("console", (message) => seen.console.push(message.text()));
  const begun = Date.now();
  try {
    const answer = await page.goto(one.url, { waitUntil: "load", timeout: 20000 });
    seen.status = answer ? answer.status() : 0;
  } catch (error) {
    seen.error = String(error.message).split("\n")[0];
  }
  if (one.submit !== undefined) {
    await page.fill("textarea", one.submit);
    const [answer] = await Promise.all([page.waitForNavigation({ timeout: 20000 }), page.click("button")]);
    seen.status = answer.status();
    seen.url = page.url();
  }
  seen.ms = Date.now() - begun;
  seen.title = await page.title().catch(() => "");
  seen.text = await page.evaluate(() => (document.body ? document.body.innerText : "")).catch(() => "");
  seen.overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth).catch(() => false);
  seen.cookies = (await context.cookies()).length;
  if (one.media) await page.emulateMedia({ media: one.media });
  if (one.shot) await page.screenshot({ path: one.shot, fullPage: true });
  if (one.axe) {
    await page.evaluate(axe);
    const result = await page.evaluate((only) => window.axe.run(document, { runOnly: only }), tags);
    seen.violations = result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
    seen.checked = result.passes.length;
  }
  await context.close();
  return seen;
}

(async () => {
  const browser = await chromium.launch({
    executablePath: wanted.chromium,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
  });
  const results = [];
  for (const one of wanted.visits) results.push(await visit(browser, one));
  await browser.close();
  console.log(JSON.stringify(results));
})();
