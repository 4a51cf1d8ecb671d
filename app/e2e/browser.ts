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
      const body = response.body().then((bytes) => ({ url: response.url(), body: bytes }));
      // A page that is closed meanwhile has none; whoever wants it will find out.
      body.catch(() => undefined);
      seen.bodies.push(body);
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

/** What the wallet of the test does when it is asked to sign. */
export type Behaviour = 'sign' | 'refuse' | 'fail' | 'wait';

/** Announces a wallet with two accounts to the page as an extension does, by the Wallet Standard. It signs until it is told
 * otherwise. */
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
    const keys = [0, 1].map(async () => {
      const { privateKey, publicKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
      const bytes = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
      return {
        privateKey,
        account: { address: base58(bytes), publicKey: bytes, chains: ['solana:localnet'], features: [] },
      };
    });
    const accountOf = async (number: number) => (await keys[number])?.account;
    type Changed = (change: { accounts: unknown[] }) => void;
    const listeners = new Set<Changed>();
    const control = {
      behaviour: 'sign',
      isAsked: false,
      /** Goes on with what waits. */
      release: () => undefined as unknown,
      /** Takes another account, or none: that is what locking looks like. */
      take: async (number: number | undefined) => {
        const accounts = number === undefined ? [] : [await accountOf(number)];
        listeners.forEach((changed) => {
          changed({ accounts });
        });
      },
    };
    Object.assign(globalThis, { testWallet: control });
    const wallet = {
      version: '1.0.0',
      name: 'Wallet of the test',
      icon: 'data:image/svg+xml;base64,',
      chains: ['solana:localnet'],
      accounts: [],
      features: {
        'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [await accountOf(0)] }) },
        'standard:events': {
          version: '1.0.0',
          on: (_: string, changed: Changed) => {
            listeners.add(changed);
            return () => listeners.delete(changed);
          },
        },
        'solana:signTransaction': {
          version: '1.0.0',
          supportedTransactionVersions: [0],
          signTransaction: async (input: { account: { address: string }; transaction: Uint8Array<ArrayBuffer> }) => {
            if (control.behaviour === 'refuse') {
              throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
            }
            if (control.behaviour === 'fail') {
              throw new Error('The device is not plugged in');
            }
            control.isAsked = true;
            if (control.behaviour === 'wait') {
              await new Promise(
                (resolve) =>
                  (control.release = () => {
                    resolve(undefined);
                  }),
              );
            }
            const pairs = await Promise.all(keys);
            const pair = pairs.find(({ account }) => account.address === input.account.address);
            if (pair === undefined) {
              throw new Error('There is no such account');
            }
            // The number of signatures, one signature of 64 bytes, the message.
            const signed = input.transaction.slice();
            const message = signed.slice(65);
            signed.set(new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, message)), 1);
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

interface Control {
  behaviour: Behaviour;
  isAsked: boolean;
  release: () => void;
  take: (number: number | undefined) => Promise<void>;
}

/** From now on, the wallet of the test does this. */
export async function behave(page: Page, behaviour: Behaviour): Promise<void> {
  await page.evaluate((wanted) => {
    const control = (globalThis as unknown as { testWallet: Control }).testWallet;
    control.behaviour = wanted;
    control.isAsked = false;
  }, behaviour);
}

/** What waits for the wallet is signed after all, as soon as the wallet is asked. */
export async function release(page: Page): Promise<void> {
  await page.waitForFunction(() => (globalThis as unknown as { testWallet: Control }).testWallet.isAsked);
  await page.evaluate(() => {
    (globalThis as unknown as { testWallet: Control }).testWallet.release();
  });
}

/** The wallet's user takes its first or second account (0 or 1), or locks it. */
export async function take(page: Page, number: number | undefined): Promise<void> {
  await page.evaluate((one) => (globalThis as unknown as { testWallet: Control }).testWallet.take(one), number);
}
