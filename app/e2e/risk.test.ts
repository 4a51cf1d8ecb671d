/** What a user is told of risk: the page for laymen, and the warning at the own vault. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAccessible, observeShifts, picture, shifts } from './browser';
import { Stage, choose, move, openVault, says } from './stage';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.begin();
});

afterAll(() => stage.end());

const FALL = '[data-testid=fall]';

it('risk is explained with the numbers of the market, and tried out on an example', async () => {
  const { page, seen } = await stage.open('/risk', observeShifts);
  await says(page, 'main', /An example, as no wallet is connected: 10 SOL deposited, [\d,.]+ USDC borrowed/);
  // 85 % of a loan of at most 75 % and liquidation at 82 %, all after the same haircut: 0.82 / 0.75 / 0.85.
  await says(page, FALL, /Health1\.28 → 1\.0[23].*Nothing is sold\..*may fall by 2\.\d\d %/);
  expect(await shifts(page)).toBeLessThan(0.01);
  await page.getByRole('button', { name: '−30 %' }).click();
  await says(
    page,
    FALL,
    /Health1\.28 → 0\.\d\d.*The vault can be liquidated\. About \$[\d,.]+ of SOL would be taken to repay \$[\d,.]+ of its USDC debt\. The difference, \$\d+\.\d\d or [78]\.\d\d % of what is repaid, is what it costs you\./,
  );
  expect(await page.getByRole('slider').getAttribute('aria-valuetext')).toBe('30 %');
  await page.getByLabel('What falls').selectOption({ label: 'SOL' });
  await says(page, 'label', 'It falls by 30 %: SOL at $140.00');
  await page.getByRole('slider').focus();
  for (let i = 0; i < 20; i += 1) {
    await page.keyboard.press('ArrowLeft');
  }
  await says(page, FALL, 'Nothing is sold.');
  await page.getByRole('slider').fill('90');
  await says(page, FALL, 'all collateral would be lost');
  await page.getByRole('slider').fill('30');
  await says(page, '.numbers li', /SOLHaircut now3\.0\d % .*\$100 of it carry\$79\.5\d.*2\.00 % to 8\.00 %/);
  await expectAccessible(page);
  await picture(page, 'risk');
  expect(seen.complaints).toEqual([]);
  await page.context().close();
});

it('an owner close to a liquidation is told the way out', async () => {
  const { page, seen } = await stage.open('/vault');
  await openVault(page);
  await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
  expect(await page.locator('.danger-card').count()).toBe(0);
  await choose(page, 'Borrow', 'USDC');
  await page.getByRole('button', { name: 'Max' }).click();
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '[role=alert]', 'Your vault is close to liquidation.');
  await expectAccessible(page);
  await picture(page, 'close');
  await page.getByRole('button', { name: /^Repay [\d.]+ USDC$/ }).click();
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', 'Repaid.');
  await says(page, '[data-testid=health]', '1.25');
  await expect.poll(() => page.locator('.danger-card').count()).toBe(0);

  await page.getByRole('link', { name: 'What haircuts, health and liquidations are' }).click();
  await says(page, 'main', /Your vault: 10 SOL deposited, [\d,.]+ USDC borrowed/);
  expect(seen.complaints).toEqual([]);
  await page.context().close();
});

it('where nobody is in danger, that is said; and so is it when vaults cannot be fetched', async () => {
  const { page, seen } = await stage.open('/liquidations');
  await says(page, 'main', /None at the moment: the lowest health of all vaults is 1\.\d\d\./);
  await expectAccessible(page);
  await picture(page, 'liquidations-none');
  expect(seen.complaints).toEqual([]);
  await page.route(`${stage.chain.rpc}/**`, (route) =>
    (route.request().postData() ?? '').includes('getProgramAccounts') ? route.abort() : route.continue(),
  );
  await says(page, '[role=alert]', 'The vaults cannot be fetched: The chain does not answer.');
  await expectAccessible(page);
  await page.context().close();
});
