/** A browser that talks to nobody by itself, and what it is watched for. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = process.env['KEEL_CHROMIUM'] ?? '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Starts it, with a profile of its own. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page asked for, and complained about. */
export interface Watch {
  requests: string[];
  complaints: string[];
  /** The size of everything that was fetched from `origin`, compressed as servers do. */
  bodies: Promise<{ url: string; body: Buffer }>[];
}

export function watch(page: Page, origin: string): Watch {
  const seen: Watch = { requests: [], complaints: [], bodies: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      seen.complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  page.on('response', (response) => {
    if (response.url().startsWith(origin)) {
      seen.bodies.push(response.body().then((body) => ({ url: response.url(), body })));
    }
  });
  return seen;
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** No rule of axe-core is broken, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
      return (await axe.run()).violations.map(({ id, help, nodes }) => ({
        id,
        help,
        nodes: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary ?? ''}`),
      }));
    });
    expect(violations, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** With `KEEL_SCREENSHOTS`, the name of a folder, pictures are written there: they are for looking at. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['KEEL_SCREENSHOTS'];
  if (folder === undefined) {
    return;
  }
  for (const [colorScheme, width] of [
    ['light', 390],
    ['dark', 768],
    ['light', 1440],
    ['dark', 1440],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${folder}/${name}-${width.toString()}-${colorScheme}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** From now on, what moves without anybody having done anything is added up. */
export async function observeShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = { sum: 0 };
    Object.assign(globalThis, { shifts: seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        seen.sum += (entry as PerformanceEntry & { value: number }).value;
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/** The cumulative layout shift; 0.1 is what is commonly called good. */
export async function shifts(page: Page): Promise<number> {
  // Long enough for the second look at the chain.
  await page.waitForTimeout(2_500);
  return page.evaluate(() => (globalThis as unknown as { shifts: { sum: number } }).shifts.sum);
}

/** Announces a wallet to the page as an extension does, by the Wallet Standard. */
export async function installWallet(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
    const base58 = (bytes: Uint8Array) => {
      let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      let text = '';
      for (; number > 0n; number /= 58n) {
        text = (ALPHABET[Number(number % 58n)] ?? '') + text;
      }
      return '1'.repeat(bytes.findIndex((byte) => byte !== 0)) + text;
    };
    const keys = crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    const wallet = {
      version: '1.0.0',
      name: 'Wallet of the test',
      icon: 'data:image/svg+xml;base64,',
      chains: ['solana:localnet'],
      accounts: [],
      features: {
        'standard:connect': {
          version: '1.0.0',
          connect: async () => {
            const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', (await keys).publicKey));
            return { accounts: [{ address: base58(publicKey), publicKey, chains: ['solana:localnet'], features: [] }] };
          },
        },
        'solana:signTransaction': {
          version: '1.0.0',
          supportedTransactionVersions: [0],
          signTransaction: async ({ transaction }: { transaction: Uint8Array<ArrayBuffer> }) => {
            // The number of signatures, one signature of 64 bytes, the message.
            const signed = transaction.slice();
            const message = signed.slice(65);
            signed.set(new Uint8Array(await crypto.subtle.sign('Ed25519', (await keys).privateKey, message)), 1);
            return [{ signedTransaction: signed }];
          },
        },
      },
    };
    const announce = ({ register }: { register: (wallet: unknown) => void }) => {
      register(wallet);
    };
    window.addEventListener('wallet-standard:app-ready', (event) => {
      announce((event as CustomEvent<{ register: (wallet: unknown) => void }>).detail);
    });
  });
}
