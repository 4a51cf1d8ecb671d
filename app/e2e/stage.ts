/** What every test of the app begins with, and what users do again and again. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { expectAccessible, launch, picture, watch, type Watch } from './browser';
import { startChain, type Beginning, type LocalChain } from './chain';

/** A chain and a browser, for the tests of one file. */
export class Stage {
  private constructor(
    readonly chain: LocalChain,
    private readonly browser: Browser,
  ) {}

  /** Starts both. */
  static async begin(beginning: Beginning = {}): Promise<Stage> {
    const chain = await startChain(beginning);
    try {
      return new Stage(chain, await launch());
    } catch (error) {
      await chain.stop();
      throw error;
    }
  }

  async end(): Promise<void> {
    await Promise.all([this.browser.close(), this.chain.stop()]);
  }

  /** Shows a path in a profile of its own, or in that of another page; `before` may prepare the page. */
  async open(
    path: string,
    before: (page: Page) => Promise<void> = () => Promise.resolve(),
    beside?: Page,
  ): Promise<{ page: Page; seen: Watch }> {
    const context = beside?.context() ?? (await this.browser.newContext({ viewport: { width: 1280, height: 900 } }));
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const seen = watch(page, this.chain.url);
    await before(page);
    await page.goto(this.chain.url + path);
    return { page, seen };
  }
}

/** Makes the burner wallet that of a key of the chain's, such as `guardian`: for `before` of [`Stage.open`]. */
export function useKey(chain: LocalChain, name: string): (page: Page) => Promise<void> {
  const [...key] = JSON.parse(readFileSync(`${chain.keys}/${name}.json`, 'utf8')) as number[];
  const secret = key.slice(0, 32).join(',');
  return async (page) => {
    await page.addInitScript((stored) => {
      localStorage.setItem('keel.burner', stored);
    }, secret);
  };
}

/** Hides the page, as another tab in front of it does, or shows it again: a browser without a window shows all of them. */
export async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

/** Connects a wallet. */
export async function connect(page: Page, wallet = 'Burner wallet'): Promise<void> {
  await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click();
  await page.getByRole('button', { name: wallet }).click();
}

/** Connects a wallet, gets test tokens and opens a vault, on the vault's page. */
export async function openVault(page: Page, wallet?: string): Promise<void> {
  await connect(page, wallet);
  await says(page, 'main', 'This wallet has no SOL yet');
  await page.getByRole('button', { name: 'Get test tokens' }).click();
  await page.getByRole('button', { name: 'Open vault' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, 'main', 'The vault is empty');
}

/** Waits until a place says this. */
export async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}

export async function choose(page: Page, action: string, asset: string): Promise<void> {
  await page.locator('.tabs').getByText(action, { exact: true }).click();
  await page.locator('.panel select').selectOption({ label: asset });
}

/** Types an amount, and has it reviewed, signed and confirmed. */
export async function move(page: Page, action: string, asset: string, amount: string, done: string): Promise<void> {
  await choose(page, action, asset);
  await page.getByLabel('Amount').fill(amount);
  await page.getByRole('button', { name: 'Review' }).click();
  await says(page, '.review', 'Network fee');
  expect(await page.locator('.review').textContent()).toMatch(/Network fee0\.000005 SOLof that for priority0 SOL/);
  if (action === 'Deposit') {
    await expectAccessible(page);
    await picture(page, 'review');
  }
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', done);
  await page.locator('.panel').getByRole('button', { name: 'Copy signature' }).waitFor();
}

/** The same with all there is. */
export async function moveAll(page: Page, action: string, asset: string, done: string): Promise<void> {
  await choose(page, action, asset);
  await page.locator('.amount button').click();
  await expect.poll(() => page.getByLabel('Amount').inputValue()).toBe('All');
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', done);
}

/** Closes the vault, which is empty. */
export async function closeVault(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Close vault' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await page.getByRole('button', { name: 'Open vault' }).waitFor();
}
