/** Two tabs of one browser: one wallet, one vault, and each sees what the other does. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { Stage, choose, closeVault, connect, move, moveAll, openVault, says } from './stage';

/** A look at the chain every two seconds, and what it takes. */
const A_LOOK_MILLISECONDS = 4_000;

let stage: Stage;
let first: Page;
let second: Page;
let complaints: string[];

beforeAll(async () => {
  stage = await Stage.begin();
  const opened = await stage.open('/vault');
  first = opened.page;
  await openVault(first);
  const beside = await stage.open('/vault', undefined, first);
  second = beside.page;
  complaints = beside.seen.complaints;
  await connect(second);
  await says(second, 'main', 'The vault is empty');
});

afterAll(() => stage.end());

const address = (page: Page) => page.locator('.address').getAttribute('title');

async function review(page: Page, action: string, asset: string, amount: string): Promise<void> {
  await page.bringToFront();
  await choose(page, action, asset);
  await page.getByLabel('Amount').fill(amount);
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).waitFor();
}

it('have the same burner wallet, and see each other’s deposits', async () => {
  expect(await address(first)).toBe(await address(second));
  await first.bringToFront();
  await move(first, 'Deposit', 'SOL', '4', 'Deposited.');
  await second.locator('.positions li', { hasText: '$800.00' }).waitFor({ timeout: A_LOOK_MILLISECONDS });
});

it('review anew what was reviewed before the other has changed the vault', async () => {
  await review(second, 'Withdraw', 'SOL', '1');
  await first.bringToFront();
  await move(first, 'Deposit', 'SOL', '1', 'Deposited.');
  await says(second, '.panel .problem', 'Your vault has changed in the meantime.');
  await second.bringToFront();
  await second.getByRole('button', { name: 'Sign and send' }).click();
  await says(second, '.panel .status', 'Withdrawn.');
  await says(second, '.positions li', '$800.00');
});

it('sign at once, and the chain takes what is possible', async () => {
  await review(first, 'Withdraw', 'SOL', '3');
  await review(second, 'Withdraw', 'SOL', '2.5');
  // By the page itself: a tab in the background is not painted, which a mouse would wait for.
  const sign = (page: Page) =>
    page.getByRole('button', { name: 'Sign and send' }).evaluate((button: HTMLElement) => {
      button.click();
    });
  await Promise.all([first, second].map(sign));
  const outcomes = await Promise.all(
    [first, second].map(async (page) => {
      const done = page.locator('.panel .status', { hasText: 'Withdrawn.' });
      const refused = page.locator('.panel .problem', { hasText: 'The vault holds less than that of this asset.' });
      await done.or(refused).first().waitFor();
      return done.isVisible();
    }),
  );
  expect(outcomes.filter((isDone) => isDone)).toHaveLength(1);
});

it('do not sign for a vault that is closed', async () => {
  await first.bringToFront();
  await moveAll(first, 'Withdraw', 'SOL', 'Withdrawn.');
  await second.bringToFront();
  await second.getByRole('button', { name: 'Close vault' }).click();
  await second.getByRole('button', { name: 'Sign and send' }).waitFor();
  await first.bringToFront();
  await closeVault(first);
  await second.getByRole('button', { name: 'Open vault' }).waitFor();
  expect(await second.getByRole('button', { name: 'Sign and send' }).count()).toBe(0);
  expect(complaints).toEqual([]);
});

it('disconnect together', async () => {
  await first.getByRole('button', { name: 'Disconnect' }).click();
  await says(second, '[aria-label=Connection]', 'The wallet was disconnected in another tab.');
  expect(await second.locator('.address').count()).toBe(0);
});

it('never sign with a key that is another one by now', async () => {
  await connect(first);
  await connect(second);
  await says(second, 'main', 'Open a vault');
  const before = await address(second);
  await first.evaluate(() => {
    localStorage.removeItem('keel.burner');
  });
  await says(second, '[aria-label=Connection]', 'The key of the burner wallet is another one now. Connect again.');
  expect(await second.locator('.address').count()).toBe(0);
  // The tab that did it is not told of it by the browser; it finds out when it is to sign.
  await first.getByRole('button', { name: 'Open vault' }).click();
  await first.getByRole('button', { name: 'Sign and send' }).click();
  await says(
    first,
    'main .problem',
    'The key of the burner wallet is another one now. Connect again. Nothing was sent.',
  );
  await connect(second);
  expect(await address(second)).not.toBe(before);
});
