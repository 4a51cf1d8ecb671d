/** Without a mouse: from the first page to a loan. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { Stage, says } from './stage';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.begin();
});

afterAll(() => stage.end());

/** More than there are places to stop at on a page. */
const MOST_STOPS = 60;

/** Presses Tab until what has the focus is called so, and is seen to have it. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press('Tab');
    const [label, outline] = await page.evaluate(() => {
      const element = document.activeElement ?? document.body;
      const labels =
        element instanceof HTMLInputElement || element instanceof HTMLSelectElement ? element.labels : null;
      const shown = element.matches('.unseen') ? (element.closest('label') ?? element) : element;
      return [labels?.[0]?.textContent ?? element.textContent, getComputedStyle(shown).outlineStyle];
    });
    if (label.trim() === name) {
      expect(outline, `${name} shows that it has the focus`).not.toBe('none');
      return;
    }
  }
  throw new Error(`Tab does not lead to "${name}"`);
}

async function press(page: Page, name: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

/** The button to sign has the focus by itself. */
async function sign(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign and send' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
}

it('a vault is opened, filled and borrowed from', async () => {
  const { page, seen } = await stage.open('/');
  await says(page, 'tbody tr', 'USDC');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  await page.evaluate(() => {
    (document.activeElement as HTMLElement).blur();
    window.scrollTo(0, 0);
  });
  await press(page, 'Vault');
  await page.getByRole('heading', { name: 'Your vault' }).waitFor();
  await press(page, 'Connect wallet');
  await press(page, 'Burner wallet');
  await press(page, 'Get test tokens');
  await page.getByRole('button', { name: 'Open vault' }).and(page.locator(':enabled')).waitFor();
  await press(page, 'Open vault');
  await sign(page);
  await says(page, 'main', 'The vault is empty');

  await tabTo(page, 'Amount');
  await page.keyboard.type('10');
  await page.keyboard.press('Enter');
  await sign(page);
  await says(page, '.panel .status', 'Deposited.');

  await tabTo(page, 'Deposit');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await tabTo(page, 'Asset');
  await page.keyboard.type('U');
  await tabTo(page, 'Amount');
  await page.keyboard.type('1000');
  await page.keyboard.press('Enter');
  await sign(page);
  await says(page, '.panel .status', 'Borrowed.');
  await says(page, '.positions li', '$1,000.00');

  await press(page, 'Move prices');
  await press(page, 'USDC loses its peg');
  await says(page, '.local-row', 'USDC loses its peg');
  await press(page, 'Stop');
  await says(page, '.local [role=status]', 'Stopped.');
  expect(seen.complaints).toEqual([]);
  await page.context().close();
});

it('the focus is not lost with a link that is gone, and the page says what it is', async () => {
  const { page, seen } = await stage.open('/');
  await says(page, 'tbody tr', 'USDC');
  await press(page, 'SOL');
  await page.getByRole('heading', { name: 'SOL', level: 1 }).waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  await says(page, 'body > * > [role=status]', 'SOL');
  await press(page, 'All markets');
  await page.getByRole('heading', { name: 'Markets', level: 1 }).waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  expect(seen.complaints).toEqual([]);
  await page.context().close();
});
