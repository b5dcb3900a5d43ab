// Serves the page and opens it in a real Chromium; prints the page's steps, and exits with 0 when it passed.
//
//     node generated/open.js CHROMIUM SERVER SEED [ORIGIN]
//
// CHROMIUM is the program, SERVER the address of the gRPC server, SEED what the ids begin with. The page is served on
// 127.0.0.1 and opened at ORIGIN, which may name any host: the browser is told that it is this machine. Without it, any
// free port.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";

const FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** In milliseconds. */
const PATIENCE = 30_000;

const [program, server, seed, origin] = process.argv.slice(2);
if (!program || !server || !seed) throw new Error("usage: open.js CHROMIUM SERVER SEED [ORIGIN]");

const files = new Map([
  ["/", { type: "text/html", body: await readFile(new URL("../index.html", import.meta.url)) }],
  ["/page.js", { type: "text/javascript", body: await readFile(new URL("page.js", import.meta.url)) }],
]);
const pages = createServer((request, response) => {
  const file = files.get(request.url?.split("?")[0] ?? "");
  if (file) response.writeHead(200, { "content-type": file.type }).end(file.body);
  else response.writeHead(404).end();
});
await new Promise<void>((listening) => {
  pages.listen(origin ? Number(new URL(origin).port) : 0, "127.0.0.1", listening);
});
const home = new URL(origin ?? `http://127.0.0.1:${(pages.address() as AddressInfo).port}`);
home.search = new URLSearchParams({ server: `http://${server}`, seed }).toString();

const browser = await chromium.launch({
  executablePath: program,
  chromiumSandbox: false,
  args: [...FLAGS, `--host-resolver-rules=MAP ${home.hostname} 127.0.0.1`],
});
try {
  console.log(`browser: Chromium ${browser.version()} at ${home.origin}`);
  const page = await browser.newPage();
  page.on("console", (message) => console.log(`console: ${message.text()}`));
  await page.goto(home.href);
  const outcome = page.locator("#outcome:not(:empty)");
  await outcome.waitFor({ timeout: PATIENCE });
  for (const step of await page.locator("#steps li").allTextContents()) console.log(step);
  const text = await outcome.textContent();
  console.log(`outcome: ${text}`);
  process.exitCode = text === "passed" ? 0 : 1;
} finally {
  await browser.close();
  pages.close();
}
