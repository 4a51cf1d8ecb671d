/** Whatever a user types: words for what is wrong with it, nothing to sign, and no error of the app. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible, picture, type Watch } from './browser';
import { Stage, choose, move, openVault, says } from './stage';

let stage: Stage;
let page: Page;
let seen: Watch;

beforeAll(async () => {
  // Little of everything: all limits are in reach of what the faucet gives.
  stage = await Stage.begin({
    changes: [
      ['supplied = 4_000\n', 'supplied = 100\n'],
      ['deposit_cap = 500_000\n', 'deposit_cap = 125\n'],
      ['supplied = 1_000_000\n', 'supplied = 1_000\n'],
      ['swapped_usd = 50_000\n', 'swapped_usd = 0\n'],
      ['debt_ceiling = 1_000_000\n', 'debt_ceiling = 300\n'],
      ['count = 2\n', 'count = 0\n'],
    ],
  });
  ({ page, seen } = await stage.open('/vault'));
  await openVault(page);
  await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
});

afterAll(() => stage.end());

const problem = '.panel .field-problem';

async function isRefused(text: string, words: string | RegExp): Promise<void> {
  await page.getByLabel('Amount').fill(text);
  await says(page, problem, words);
  expect(await page.getByRole('button', { name: 'Review' }).isDisabled(), text).toBe(true);
  expect(await page.getByLabel('Amount').getAttribute('aria-invalid'), text).toBe('true');
}

beforeEach(() => {
  seen.complaints.length = 0;
});

describe('what is no amount', () => {
  const NUMBER = 'Write a number such as 1.5';

  it.each([
    ['-1', NUMBER],
    ['abc', NUMBER],
    ['1e9', NUMBER],
    ['0x10', NUMBER],
    ['1,5', NUMBER],
    ['1.000,50', NUMBER],
    ['1 000', NUMBER],
    ['1.2.3', NUMBER],
    ['.', NUMBER],
    ['٣', NUMBER],
    ['NaN', NUMBER],
    ['   ', NUMBER],
    ['0.0000000001', 'at most 9 behind it'],
    ['0', 'The amount is zero'],
    ['0.000000000', 'The amount is zero'],
    ['18446744074', 'There cannot be that much SOL'],
  ])('is refused with words: %s', async (text, words) => {
    await choose(page, 'Deposit', 'SOL');
    await isRefused(text, words);
    expect(seen.complaints).toEqual([]);
  });

  it('may be absurdly long', async () => {
    await choose(page, 'Deposit', 'SOL');
    await isRefused('9'.repeat(2_000), 'There cannot be that much SOL');
    await isRefused(`0.${'0'.repeat(2_000)}1`, 'at most 9 behind it');
    expect(seen.complaints).toEqual([]);
  });

  it('leaves the button off, without words, when it is nothing at all', async () => {
    await choose(page, 'Deposit', 'SOL');
    await page.getByLabel('Amount').fill('');
    expect(await page.locator(problem).textContent()).toBe('');
    expect(await page.getByRole('button', { name: 'Review' }).isDisabled()).toBe(true);
    expect(seen.complaints).toEqual([]);
  });

  it('is taken with spaces around it, as it is pasted', async () => {
    await choose(page, 'Deposit', 'SOL');
    await page.getByLabel('Amount').fill('\u00a0 1.5 \t');
    expect(await page.locator(problem).textContent()).toBe('');
    expect(await page.getByRole('button', { name: 'Review' }).isEnabled()).toBe(true);
  });
});

describe('an amount that is not possible', () => {
  it.each([
    ['Deposit', 'SOL', '16', "The deposit would exceed the reserve's deposit cap"],
    ['Deposit', 'USDC', '10000.000001', 'The wallet holds less than that: 10,000 USDC.'],
    ['Borrow', 'USDC', '5', "less than the market's minimum position"],
    ['Borrow', 'USDC', '1200', 'There is less than that: the rest is lent out'],
    ['Borrow', 'kUSD', '400', "The loan would exceed the reserve's borrow cap"],
    ['Withdraw', 'SOL', '10.000000001', 'The vault holds less than that'],
  ])('%s %s %s', async (action, asset, amount, words) => {
    await choose(page, action, asset);
    await isRefused(amount, words);
    expect(seen.complaints).toEqual([]);
  });

  it('that leaves nothing for the fee is refused in the simulation', async () => {
    await choose(page, 'Deposit', 'SOL');
    const held = /In the wallet: ([\d.]+) SOL/.exec((await page.locator('.panel .field').last().textContent()) ?? '');
    await page.getByLabel('Amount').fill(held?.[1] ?? '');
    await page.getByRole('button', { name: 'Review' }).click();
    await says(page, '.panel [role=alert]', /The wallet (has too little SOL|holds less)/);
    expect(await page.getByRole('button', { name: 'Sign and send' }).count()).toBe(0);
    expect(seen.complaints).toEqual([]);
  });

  it('of a vault with a debt: over its health, and more than it owes', async () => {
    await move(page, 'Borrow', 'USDC', '900', 'Borrowed.');
    await choose(page, 'Withdraw', 'SOL');
    await isRefused('5', "The vault's health factor would be under 1");
    await choose(page, 'Repay', 'USDC');
    await isRefused('950', 'The vault owes less than that. Repay ALL to clear the debt to the last unit.');
    await expectAccessible(page);
    await picture(page, 'typed');
    expect(seen.complaints).toEqual([]);
  });
});
