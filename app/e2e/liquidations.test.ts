/** The page of liquidations, on a chain where SOL has fallen and no keeper has capital. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, observeShifts, picture, shifts } from './browser';
import { Stage, connect, move, openVault, says, useKey } from './stage';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.begin({ scenario: 'fallen.toml', isPlayed: true });
});

afterAll(() => stage.end());

const DUE = 'section:has(#due-title) li';

/** Connects the burner wallet, and gets test tokens. */
async function begin(page: Page): Promise<void> {
  await connect(page);
  await page.getByRole('button', { name: 'Get test tokens' }).click();
  await says(page, '.wallet [role=status]', 'Test tokens have arrived.');
}

/** The vaults to be liquidated that say this. */
function row(page: Page, text: RegExp) {
  return page.locator(DUE).filter({ hasText: text });
}

describe('liquidations', () => {
  it('are listed, the lowest health first', async () => {
    const { page, seen } = await stage.open('/liquidations', observeShifts);
    await says(page, '[role=status]', '9 vaults with debt: 6 can be liquidated, 2 are close to it.');
    expect(await page.locator(DUE).count()).toBe(6);
    const health = await page.locator(`${DUE} dd.bad`).allTextContents();
    expect(health).toEqual(health.toSorted());
    expect(health.every((one) => one.startsWith('0.9'))).toBe(true);
    await says(page, 'main', 'Connect a wallet to liquidate one of these.');
    expect(await shifts(page)).toBeLessThan(0.01);
    await expectAccessible(page);
    await picture(page, 'liquidations');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are done with one click and a signature', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await begin(page);
    const mine = row(page, /Debt\$[4-5],\d{3}\.\d\d USDC/).first();
    const title = await mine.locator('h3').textContent();
    const bounty = await mine.locator('dd').last().textContent();
    expect(bounty).toMatch(/^\$\d+\.\d\d$/);
    await mine.getByRole('button').click();
    const dialog = page.getByRole('dialog', { name: `Liquidate v${title?.slice(1) ?? ''}` });
    await dialog.getByText('Network fee').waitFor();
    const words = await dialog.textContent();
    expect(words).toMatch(/You repay[\d,.]+ USDC \$[\d,.]+You receive[\d,.]+ SOL \$[\d,.]+Bounty\$\d+\.\d\d/);
    expect(words).toMatch(/Health of the vault0\.9\d → 1\.0[45]/);
    expect(words).toMatch(/You repay at most [\d,.]+ USDC and receive at least [\d,.]+ SOL, or nothing happens/);
    await expectAccessible(page);
    await picture(page, 'liquidate');
    // The button to sign has the focus.
    await page.keyboard.press('Enter');
    await says(page, 'dialog [role=status]', 'Liquidated. The collateral is in the wallet.');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await says(page, '[role=status]', '9 vaults with debt: 5 can be liquidated, 3 are close to it.');
    await says(page, 'section:has(#close-title) li', title ?? '');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are never shown with the simulation of another', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await begin(page);
    let late: Promise<void> | undefined;
    await page.route(`${stage.chain.rpc}/**`, async (route) => {
      if (late === undefined && (route.request().postData() ?? '').includes('simulateTransaction')) {
        late = page.waitForTimeout(1_500);
        await late;
      }
      await route.continue();
    });
    const large = row(page, /Debt\$1\d\d,\d{3}\.\d\d USDC/);
    await large.getByRole('button').click();
    await says(page, 'dialog [role=status]', 'Simulating…');
    await page.keyboard.press('Escape');
    await row(page, /Debt\$[4-5],\d{3}\.\d\d USDC/)
      .first()
      .getByRole('button')
      .click();
    await says(page, 'dialog', 'Network fee');
    const words = await page.locator('dialog .review').textContent();
    expect(words).toMatch(/You repay at most 2,\d{3}/);
    await late;
    await page.waitForTimeout(500);
    expect(await page.locator('dialog .review').textContent()).toBe(words);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('repay SOL with what is wrapped for it, and return the rest', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await begin(page);
    await row(page, /Keeper repays[\d.]+ SOL/)
      .getByRole('button')
      .click();
    await says(page, 'dialog', 'Network fee');
    const words = (await page.getByRole('dialog').textContent()) ?? '';
    const repaid = /You repay([\d.]+) SOL/.exec(words)?.[1] ?? '';
    const left = /SOL in the wallet20 → ([\d.]+)/.exec(words)?.[1] ?? '';
    // A hundredth more is wrapped, and comes back.
    expect(Number(left)).toBeCloseTo(20 - Number(repaid), 2);
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, 'dialog [role=status]', 'Liquidated. The collateral is in the wallet.');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('let the keeper choose what to receive', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await begin(page);
    await row(page, /Collateral[^C]*SOL, ETH|Collateral[^C]*ETH, SOL/)
      .getByRole('button')
      .click();
    await says(page, 'dialog', 'Network fee');
    const choice = page.getByLabel('Repay, and receive');
    for (const symbol of ['SOL', 'ETH']) {
      const option = await choice.locator('option', { hasText: `USDC → ${symbol}` }).textContent();
      await choice.selectOption({ label: option ?? '' });
      // What was reviewed was another pair.
      expect(await page.getByRole('button', { name: 'Sign and send' }).count()).toBe(0);
      await page.getByRole('dialog').getByRole('button', { name: 'Review' }).click();
      await says(page, 'dialog .outcome', new RegExp(`You receive[\\d.]+ ${symbol}`));
      await says(page, 'dialog .review', new RegExp(`receive at least [\\d.]+ ${symbol}, or nothing happens`));
    }
    await expectAccessible(page);
    await picture(page, 'liquidate-choice');
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are done in part with what there is, and not without', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await begin(page);
    await row(page, /Debt\$1\d\d,\d{3}\.\d\d USDC/)
      .getByRole('button')
      .click();
    await says(page, 'dialog', 'The wallet holds enough for a part: all would be');
    await says(page, 'dialog', 'Network fee');
    expect(await page.getByRole('dialog').textContent()).toMatch(/You repay10,000 USDC/);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await row(page, /kUSD/).getByRole('button').click();
    await says(page, 'dialog', /The wallet can pay 0 kUSD: get some kUSD first\./);
    await expectAccessible(page);
    await picture(page, 'liquidate-missing');
    await page.getByRole('button', { name: 'Close' }).click();
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('pay into the vault of a keeper who has one', async () => {
    const { page, seen } = await stage.open('/vault');
    await openVault(page);
    await move(page, 'Deposit', 'SOL', '1', 'Deposited.');
    await move(page, 'Borrow', 'USDC', '100', 'Borrowed.');
    await page.getByRole('banner').getByRole('link', { name: 'Liquidations' }).click();
    await row(page, /Debt\$1\d\d,\d{3}\.\d\d USDC/)
      .getByRole('button')
      .click();
    const dialog = page.getByRole('dialog');
    await says(page, 'dialog .review', /receive at least [\d.]+ SOL, or nothing happens/);
    await dialog.getByText('In your vault').click();
    await says(page, 'dialog', /It is deposited in your vault \w{4}…\w{4}/);
    // What was reviewed was tokens.
    expect(await dialog.getByRole('button', { name: 'Sign and send' }).count()).toBe(0);
    await dialog.getByRole('button', { name: 'Review' }).click();
    await says(page, 'dialog .review', /receive at least [\d.]+ SOL as a deposit in your vault, or nothing happens/);
    const words = (await dialog.textContent()) ?? '';
    const received = /You receive([\d.]+) SOL/.exec(words)?.[1] ?? '';
    const [, before = '', after = ''] = /Health of your vault([\d.]+) → ([\d.]+)/.exec(words) ?? [];
    expect(Number(after)).toBeGreaterThan(Number(before));
    await expectAccessible(page);
    await picture(page, 'liquidate-shares');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, 'dialog [role=status]', 'Liquidated. The collateral is in your vault.');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('link', { name: 'Vault' }).click();
    await says(page, '[data-testid=health]', new RegExp(`^${after.slice(0, -1)}`));
    const position = await page.locator('.positions li', { hasText: 'SOLCollateral' }).textContent();
    const held = Number(/Amount([\d.]+)/.exec(position ?? '')?.[1]);
    // Within a hundredth, as the bounds are.
    expect(held - 1).toBeGreaterThan(Number(received) * 0.99);
    expect(held - 1).toBeLessThan(Number(received) * 1.01);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('wait for the tokens that a wallet lacks, and are reviewed when they have come', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await connect(page);
    const open = row(page, /Debt\$1\d\d,\d{3}\.\d\d USDC/).getByRole('button');
    await open.click();
    const dialog = page.getByRole('dialog');
    await says(page, 'dialog', /The wallet can pay 0 USDC: get some USDC first\./);
    await expectAccessible(page);
    await picture(page, 'liquidate-lacking');
    await dialog.getByRole('button', { name: 'Get test tokens' }).click();
    await says(page, 'dialog', /You repay10,000 USDC/);
    await says(page, 'dialog [role=status]', 'The wallet can pay for it now.');
    // Nothing is about to be signed, and Enter would do the next step.
    const review = dialog.getByRole('button', { name: 'Review' });
    await expect.poll(() => review.evaluate((button) => button === document.activeElement)).toBe(true);
    await expectAccessible(page);
    await picture(page, 'liquidate-arrived');
    await page.keyboard.press('Enter');
    await says(page, 'dialog', 'Network fee');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await open.evaluate((button) => button === document.activeElement)).toBe(true);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are reviewed again when the wallet holds less by now', async () => {
    const { page, seen } = await stage.open('/liquidations');
    await begin(page);
    await row(page, /Debt\$1\d\d,\d{3}\.\d\d USDC/)
      .getByRole('button')
      .click();
    await says(page, 'dialog .review', 'You repay at most 10,000 USDC');
    // In another tab, a part of it is deposited.
    const { page: other } = await stage.open('/vault', undefined, page);
    await connect(other);
    await other.getByRole('button', { name: 'Open vault' }).click();
    await other.getByRole('button', { name: 'Sign and send' }).click();
    await says(other, 'main', 'The vault is empty');
    await move(other, 'Deposit', 'USDC', '4000', 'Deposited.');
    await page.bringToFront();
    await says(page, 'dialog .problem', 'The wallet holds less by now. This is what would happen now.');
    await says(page, 'dialog .review', 'You repay at most 6,000 USDC');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are what an owner is warned of, and can prevent', async () => {
    const { page, seen } = await stage.open('/vault', useKey(stage.chain, 'user-01'));
    await begin(page);
    await says(page, '[role=alert]', 'Your vault can be liquidated now.');
    await says(
      page,
      '.summary',
      /Lowest within a day, if prices stand still and haircuts rise as fast as they may0\.\d\d/,
    );
    await expectAccessible(page);
    await picture(page, 'danger');
    const deposit = page.locator('.danger-card').getByRole('button', { name: /^Deposit [\d.]+ SOL$/ });
    await deposit.click();
    const amount = page.getByLabel('Amount');
    expect(await amount.evaluate((field) => field === document.activeElement)).toBe(true);
    // Four digits, as on the button: it says another number by now, as haircuts rise.
    expect(await amount.inputValue()).toMatch(/^1[23]\.\d{4}0{5}$/);
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, '.panel .status', 'Deposited.');
    // Haircuts rise after the fall, so that it may be a hair less than what the deposit was for.
    await says(page, '[data-testid=health]', /1\.2[45]/);
    await expect.poll(() => page.locator('.danger-card').count()).toBe(0);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });
});
