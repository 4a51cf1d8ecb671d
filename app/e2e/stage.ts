/** What every test of the app begins with, and what users do again and again. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { expectAccessible, launch, picture, watch, type Watch } from './browser';
import { startChain, type LocalChain } from './chain';

/** A chain and a browser, for the tests of one file. */
export class Stage {
  private constructor(
    readonly chain: LocalChain,
    private readonly browser: Browser,
  ) {}

  /** Starts both: the chain with a scenario of this folder. */
  static async begin(scenario = 'market.toml'): Promise<Stage> {
    const chain = await startChain(scenario);
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

  /** Shows a path in a profile of its own; `before` may prepare the page. */
  async open(
    path: string,
    before: (page: Page) => Promise<void> = () => Promise.resolve(),
  ): Promise<{ page: Page; seen: Watch }> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const seen = watch(page, this.chain.url);
    await before(page);
    await page.goto(this.chain.url + path);
    return { page, seen };
  }
}

/** Connects the burner wallet, gets test tokens and opens a vault, on the vault's page. */
export async function openVault(page: Page): Promise<void> {
  await page.getByRole('main').getByRole('button', { name: 'Connect wallet' }).click();
  await page.getByRole('button', { name: 'Burner wallet' }).click();
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
  expect(await page.locator('.review').textContent()).toMatch(/Network fee0\.000005 SOL/);
  if (action === 'Deposit') {
    await expectAccessible(page);
    await picture(page, 'review');
  }
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', done);
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
