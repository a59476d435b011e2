/** Debian's Chromium without a window, and a page of it at a hub. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Each step waits for what it needs; machines of tests are slow and busy. */
const PATIENCE_MS = 120_000;

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"], timeout: PATIENCE_MS });
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained about: scripts' errors, what the page's policy forbids. */
  readonly complaints: string[];
  /** Origins that were asked. */
  readonly origins: Set<string>;
  close(): Promise<void>;
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // A refused token is part of some tests, and the browser says so by itself.
    if (message.type() === "error" && !/status of 40[14]/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.goto(url);
  return { page, complaints, origins, close: () => context.close() };
}

/** Kept for people's eyes when SHOAL_SCREENSHOTS names a directory. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env.SHOAL_SCREENSHOTS;
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}

/** Texts whose contrast with what is behind them is below WCAG's 4.5 to 1. */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parse = (text: string): number[] => (text.match(/[\d.]+/g) ?? []).map(Number);
    const light = ([r = 0, g = 0, b = 0]: number[]): number => {
      const linear = (value: number) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const behind = (from: Element): number[] => {
      for (let element: Element | null = from; element; element = element.parentElement) {
        const colour = parse(getComputedStyle(element).backgroundColor);
        if ((colour[3] ?? 1) > 0) return colour;
      }
      return [255, 255, 255];
    };
    const faint: string[] = [];
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "");
      if (!own || element.getClientRects().length === 0) continue;
      const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) faint.push(`${ratio.toFixed(1)}: ${element.textContent}`);
    }
    return faint;
  });
}

/** Pixels by which the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
