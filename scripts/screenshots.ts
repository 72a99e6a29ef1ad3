// `pnpm screenshots [address]`: the pictures of the README, taken anew from a running stack.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { chromium, type Browser } from 'playwright-core';

const VARIANTS = [
  { frontend: 'wordpress', caption: '50 % · control · WordPress' },
  { frontend: 'next', caption: '20 % · A · Next.js' },
  { frontend: 'vue', caption: '30 % · B · Vue' },
] as const;
const WIDTH = 1280;
const HEIGHT = 1500;
/** With shares of a fifth and more, this many new visitors miss a variant once in 10⁹. */
const VISITORS_MAX = 100;

const address = process.argv[2] ?? 'http://localhost:8080/';
const folder = path.resolve(import.meta.dirname, '..', 'docs', 'images');

/** The page as each variant shows it, each to a new visitor who was put there by chance. */
async function photographVariants(browser: Browser): Promise<Map<string, Buffer>> {
  const pictures = new Map<string, Buffer>();
  for (let visitor = 0; visitor < VISITORS_MAX && pictures.size < VARIANTS.length; visitor++) {
    const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT } });
    const page = await context.newPage();
    await page.goto(address, { waitUntil: 'networkidle' });
    const frontend = await page.locator('html').getAttribute('data-frontend');
    if (frontend !== null && !pictures.has(frontend)) {
      pictures.set(frontend, await page.screenshot());
    }
    await context.close();
  }
  return pictures;
}

function sideBySide(pictures: ReadonlyMap<string, Buffer>): string {
  const figures = VARIANTS.map(({ frontend, caption }) => {
    const picture = pictures.get(frontend);
    if (picture === undefined) {
      throw new Error(
        `Of ${VISITORS_MAX} new visitors of ${address} none got ${frontend}: is the experiment running?`,
      );
    }
    return `<figure><img src="data:image/png;base64,${picture.toString('base64')}"><figcaption>${caption}</figcaption></figure>`;
  });
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; padding: 24px; display: flex; gap: 24px; background: #e7e9ee; font: 600 22px system-ui, sans-serif; color: #232733 }
    figure { margin: 0; flex: 1 } img { width: 100%; display: block; border-radius: 10px; box-shadow: 0 2px 18px #0003 }
    figcaption { padding-top: 14px; text-align: center }
  </style>${figures.join('')}`;
}

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const html = sideBySide(await photographVariants(browser));
  const page = await browser.newPage({ viewport: { width: 1600, height: 680 } });
  await page.setContent(html, { waitUntil: 'load' });
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'three-variants.png');
  await page.screenshot({ path: file });
  process.stdout.write(`${file}\n`);
} finally {
  await browser.close();
}
