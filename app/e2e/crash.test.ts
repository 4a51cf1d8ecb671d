/** A vault near its limit, and prices that fall: what its owner sees, and what can still be done afterwards. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible, picture } from './browser';
import { Stage, choose, closeVault, move, moveAll, openVault, says } from './stage';

let stage: Stage | undefined;
let open: Stage['open'];

beforeAll(async () => {
  stage = await Stage.begin();
  open = stage.open.bind(stage);
});

afterAll(() => stage?.end());

async function health(page: Page): Promise<number> {
  return Number.parseFloat((await page.getByTestId('health').textContent()) ?? '');
}

/** What is owed, by what the panel says of it. */
async function owed(page: Page): Promise<number> {
  const text = await page.locator('.positions li', { hasText: 'Debt' }).locator('dd').first().textContent();
  return Number((text ?? '').replaceAll(',', ''));
}

it('liquidates a vault before its owner’s eyes, who then leaves', async () => {
  const { page, seen } = await open('/vault');
  await openVault(page);
  await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
  await choose(page, 'Borrow', 'USDC');
  await page.getByRole('button', { name: 'Max' }).click();
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', 'Borrowed.');
  const borrowed = await owed(page);
  expect(borrowed).toBeGreaterThan(1_400);
  // Borrowed to the limit for new loans, which is below that of a liquidation.
  expect(await health(page)).toBeGreaterThan(1.05);

  await page.getByRole('button', { name: 'Move prices' }).click();
  await says(page, '.prices-now', '$200.00');
  await expectAccessible(page);
  await picture(page, 'prices');
  await page.getByRole('button', { name: 'Prices fall by 20 %' }).click();
  await says(page, '.local-row', /Prices fall by 20 %\s*[1-9]\d* s of 120 s/);
  // One at a time.
  expect(await page.getByRole('button', { name: 'The oracle stops' }).isDisabled()).toBe(true);
  await expectAccessible(page);

  // Nothing is reloaded from here on: all of this is seen as it happens.
  await page.evaluate(() => Object.assign(globalThis, { isTheSamePage: true }));
  await expect.poll(() => health(page), { timeout: 90_000, interval: 100 }).toBeLessThan(1);
  await says(page, '[data-testid=health]', 'Can be liquidated');
  await picture(page, 'liquidatable');
  await expect.poll(() => owed(page), { timeout: 20_000, interval: 100 }).toBeLessThan(borrowed - 100);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await says(page, '.local [role=status]', 'Stopped.');
  await expect.poll(() => health(page), { timeout: 20_000 }).toBeGreaterThan(1);
  await picture(page, 'liquidated');

  await moveAll(page, 'Repay', 'USDC', 'Repaid.');
  await moveAll(page, 'Withdraw', 'SOL', 'Withdrawn.');
  await closeVault(page);
  expect(await page.evaluate(() => 'isTheSamePage' in globalThis)).toBe(true);

  await page.getByRole('button', { name: 'Back to the first prices' }).click();
  await expect
    .poll(() => page.locator('.prices-now').textContent(), { timeout: 45_000 })
    .toMatch(/SOL\$200\.00USDC\$1\.00/);
  expect(seen.complaints).toEqual([]);
  await page.context().close();
}, 240_000);
