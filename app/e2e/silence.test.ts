/** The oracle stops: what is in a vault is still known, and can be paid back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAccessible, picture } from './browser';
import { Stage, choose, closeVault, move, moveAll, openVault, says } from './stage';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.begin({
    changes: [
      ['max_age_new_risk = 60\n', 'max_age_new_risk = 5\n'],
      ['max_age_liquidation = 120\n', 'max_age_liquidation = 10\n'],
    ],
  });
});

afterAll(() => stage.end());

it('and a debt is repaid all the same', async () => {
  const { page, seen } = await stage.open('/vault');
  await openVault(page);
  await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
  await move(page, 'Borrow', 'USDC', '1000', 'Borrowed.');
  await page.getByRole('button', { name: 'Move prices' }).click();
  await page.getByRole('button', { name: 'The oracle stops' }).click();
  await says(page, 'main', 'The vault cannot be valued: The price is too old.');
  const positions = await page.locator('.positions').textContent();
  expect(positions).toMatch(/SOLCollateralAmount10ValueNo price/);
  expect(positions).toMatch(/USDCDebtAmount1,000(\.\d+)?ValueNo price/);
  await says(page, '.prices-now', 'SOLNo price');
  await choose(page, 'Borrow', 'USDC');
  await page.getByLabel('Amount').fill('10');
  await says(page, '.panel .field-problem', 'The price is too old');
  await expectAccessible(page);
  await picture(page, 'silence');
  await page.getByRole('link', { name: 'Markets' }).click();
  await says(page, 'tbody tr', 'No price');
  await expectAccessible(page);
  await picture(page, 'silence-markets');
  await page.getByRole('link', { name: 'Vault' }).click();

  await moveAll(page, 'Repay', 'USDC', 'Repaid.');
  // Without a debt, no price decides.
  await moveAll(page, 'Withdraw', 'SOL', 'Withdrawn.');
  await closeVault(page);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await says(page, '.prices-now', 'SOL$200.00');
  expect(seen.complaints).toEqual([]);
  await page.context().close();
});
