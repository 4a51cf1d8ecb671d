/** What the indexer knows, in the app: the history of a vault, and the charts of an asset. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, observeShifts, picture, shifts } from './browser';
import { Stage, move, moveAll, openVault, says } from './stage';

let stage: Stage | undefined;
let open: Stage['open'];

beforeAll(async () => {
  stage = await Stage.begin();
  open = stage.open.bind(stage);
});

afterAll(() => stage?.end());

const rows = (page: Page) => page.locator('.events .event-title');

describe('the history of a vault', () => {
  it('has what happened, once, and still has it after a reload', async () => {
    const { page, seen } = await open('/vault');
    await openVault(page);
    await says(page, '.events', 'Vault opened');
    await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
    await says(page, '.events', 'Deposited 10 SOL');
    await expect.poll(() => page.locator('.history [role=status]').textContent()).toBe('Deposited 10 SOL');
    await move(page, 'Borrow', 'USDC', '500.25', 'Borrowed.');
    await says(page, '.events', 'Borrowed 500.25 USDC');
    const all = ['Borrowed 500.25 USDC', 'Deposited 10 SOL', 'Vault opened'];
    expect(await rows(page).allTextContents()).toEqual(all);
    await expectAccessible(page);
    await picture(page, 'history');
    // Wait until the chain cannot take any of it back: it is still there once.
    await expect.poll(() => page.locator('.event-open').count(), { timeout: 60_000 }).toBe(0);
    expect(await rows(page).allTextContents()).toEqual(all);

    await page.reload();
    await page.getByRole('main').getByRole('button', { name: 'Connect wallet' }).click();
    await page.getByRole('button', { name: 'Burner wallet' }).click();
    await says(page, '.events', 'Vault opened');
    expect(await rows(page).allTextContents()).toEqual(all);
    // The time is the chain's: the scenario's day, and a few minutes after its beginning.
    const times = await page
      .locator('.events time')
      .evaluateAll((found) => found.map((one) => one.getAttribute('datetime')));
    expect(times).toHaveLength(3);
    expect(times.every((time) => time?.startsWith('2025-10-10T20:1'))).toBe(true);

    for (let count = 1; count <= 9; count += 1) {
      await move(page, 'Deposit', 'SOL', `0.0${count.toString()}`, 'Deposited.');
      await says(page, '.events', `Deposited 0.0${count.toString()} SOL`);
    }
    expect(await rows(page).count()).toBe(12);
    // Whoever comes later sees the newest first, and pages back.
    await page.reload();
    await page.getByRole('main').getByRole('button', { name: 'Connect wallet' }).click();
    await page.getByRole('button', { name: 'Burner wallet' }).click();
    await says(page, '.events', 'Deposited 0.09 SOL');
    expect(await rows(page).count()).toBe(10);
    await page.getByRole('button', { name: 'Show earlier' }).click();
    await says(page, '.events', 'Vault opened');
    // Longer than until the newest are asked for again: what was loaded stays.
    await page.waitForTimeout(2_500);
    expect(await rows(page).count()).toBe(12);
    expect((await rows(page).allTextContents()).slice(-3)).toEqual(all);

    // A vault that is closed still has its history.
    await moveAll(page, 'Repay', 'USDC', 'Repaid.');
    await moveAll(page, 'Withdraw', 'SOL', 'Withdrawn.');
    await page.getByRole('button', { name: 'Close vault' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await page.getByRole('button', { name: 'Open vault' }).waitFor();
    await says(page, '.events', 'Vault closed');
    await says(page, '.events', 'Withdrew 10.45 SOL');
    await expectAccessible(page);
    await picture(page, 'closed');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });
});

describe('the page of an asset', () => {
  it('shows its numbers over time', async () => {
    const { page, seen } = await open('/');
    await page.locator('tbody').getByRole('link', { name: 'SOL' }).click();
    await page.getByRole('heading', { level: 1, name: 'SOL' }).waitFor();
    expect(await page.title()).toBe('SOL · Keel');
    await page.locator('.plot canvas').nth(3).waitFor();
    expect(await page.locator('figure h3').allTextContents()).toEqual(['Yields', 'Utilization', 'Price', 'Haircut']);
    const label = (at: number) => page.locator('.plot').nth(at).getAttribute('aria-label');
    expect(await label(2)).toMatch(/^Price over time\. Price from \$200\.00 to \$200\.00, at least \$200\.00, /);
    expect(await label(3)).toMatch(/Haircut from 3\.00 % to 3\.00 %.*Going to from 3\.00 %/);
    // Something is drawn, in the color of the scheme.
    const inked = () =>
      page
        .locator('.plot canvas')
        .first()
        .evaluate((canvas: HTMLCanvasElement) => {
          const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
          let count = 0;
          for (let i = 0; i < data.length; i += 4) {
            // The accent of the light scheme, #1257d6.
            count += data[i] === 0x12 && data[i + 1] === 0x57 && data[i + 2] === 0xd6 ? 1 : 0;
          }
          return count;
        });
    await expect.poll(inked, { timeout: 30_000 }).toBeGreaterThan(0);
    await page.getByText('The same as a table').click();
    await expect.poll(() => page.locator('.past-table tbody tr').count(), { timeout: 30_000 }).toBeGreaterThan(3);
    expect(await page.locator('.past-table tbody tr').first().textContent()).toMatch(/\$200\.00.*3\.00 %3\.00 %$/);
    await expectAccessible(page);
    await picture(page, 'asset');
    for (const range of ['1 day', '30 days']) {
      await page.getByText(range, { exact: true }).click();
      await expect.poll(() => page.locator('.plot canvas').count()).toBe(4);
    }
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('does not jump, and fits a telephone', async () => {
    const { page } = await open('/market/USDC', async (opened) => {
      await opened.setViewportSize({ width: 390, height: 800 });
      await observeShifts(opened);
    });
    await page.locator('.plot canvas').nth(3).waitFor();
    expect(await shifts(page)).toBeLessThan(0.01);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.context().close();
  });

  it('shows of the minted token what there is', async () => {
    const { page } = await open('/market/kUSD');
    await page.locator('.plot canvas').nth(1).waitFor();
    expect(await page.locator('figure h3').allTextContents()).toEqual(['Borrow APY', 'Price']);
    expect(await page.locator('.plot').nth(1).getAttribute('aria-label')).toContain('Owed at from $1.00 to $1.00');
    await page.context().close();
  });

  it('says what there is not', async () => {
    const { page } = await open('/market/DOGE');
    await page.getByRole('heading', { name: 'There is no asset DOGE' }).waitFor();
    await expectAccessible(page);
    await page.context().close();
  });
});

describe('without an indexer', () => {
  it('nothing is missing but the history', async () => {
    const { page, seen } = await open('/market/SOL', async (opened) => {
      await opened.route('**/config.json', async (route) => {
        const answer = await route.fetch();
        const { api, ...rest } = (await answer.json()) as Record<string, unknown>;
        expect(api).toBe('/api');
        await route.fulfill({ response: answer, json: rest });
      });
    });
    await says(page, 'main', 'This server keeps no history.');
    await says(page, '.figures-now', '$200.00');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Vault' }).click();
    await openVault(page);
    await says(page, '.history', 'This server keeps no history.');
    expect(seen.requests.some((url) => url.includes('/api/'))).toBe(false);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('a server that fails is said to fail, and asked again', async () => {
    let fails = true;
    const { page } = await open('/market/SOL', async (opened) => {
      await opened.route('**/api/**', (route) =>
        fails ? route.fulfill({ status: 503, json: { error: 'the store cannot be read' } }) : route.continue(),
      );
    });
    await says(page, '[role=alert]', 'The server of the history refuses: the store cannot be read');
    await picture(page, 'failure');
    fails = false;
    await page.locator('.plot canvas').nth(3).waitFor();
    expect(await page.locator('main [role=alert]').count()).toBe(0);
    await page.context().close();
  });
});
