/** Wallets that do not do what one hopes for: nothing is sent, nothing is lost, and there are words. */
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { behave, expectAccessible, installWallet, picture, release, take, type Watch } from './browser';
import { Stage, choose, connect, openVault, says } from './stage';

const WALLET = 'Wallet of the test';

let stage: Stage;
let page: Page;
let seen: Watch;

beforeAll(async () => {
  stage = await Stage.begin();
});

afterAll(() => stage.end());

beforeEach(async () => {
  ({ page, seen } = await stage.open('/vault', installWallet));
  await openVault(page, WALLET);
  await choose(page, 'Deposit', 'USDC');
  await page.getByLabel('Amount').fill('250');
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).waitFor();
});

afterEach(async () => {
  expect(seen.complaints).toEqual([]);
  await page.context().close();
});

/** The review is still there, and leads to a deposit. */
async function isStillPossible(): Promise<void> {
  await behave(page, 'sign');
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', 'Deposited.');
  await says(page, '.positions li', '250');
}

it('refuse', async () => {
  await behave(page, 'refuse');
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .problem', `You refused in ${WALLET}. Nothing was sent.`);
  await expectAccessible(page);
  await picture(page, 'wallet-refused');
  await isStillPossible();
});

it('fail', async () => {
  await behave(page, 'fail');
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .problem', `${WALLET} did not sign: The device is not plugged in. Nothing was sent.`);
  await isStillPossible();
});

it('wait for somebody who gives up, and sign too late', async () => {
  await behave(page, 'wait');
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', 'Waiting for the wallet to sign');
  await expectAccessible(page);
  await page.locator('.panel').getByRole('button', { name: 'Cancel' }).click();
  await release(page);
  // Long enough for it to have been confirmed, and seen.
  await page.waitForTimeout(4_000);
  await says(page, 'main', 'The vault is empty');
  expect(await page.getByLabel('Amount').inputValue()).toBe('250');
  await page.getByRole('button', { name: 'Review' }).click();
  await isStillPossible();
});

it('sign while another page is shown, which says how it ended', async () => {
  await behave(page, 'wait');
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .status', 'Waiting for the wallet to sign');
  await page.getByRole('link', { name: 'Markets' }).click();
  await says(page, 'tbody tr', 'USDC');
  await release(page);
  await says(page, '[aria-label=Connection]', 'Deposited.');
  await page.getByRole('link', { name: 'Vault' }).click();
  await says(page, '.positions li', '250');
});

it('are asked once at a time: nothing else is begun, nor is it reviewed again', async () => {
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Delegate and transfer').click();
  const form = page.locator('.delegate form').last();
  await form.getByLabel('Address of the other owner').fill('So11111111111111111111111111111111111111112');
  await form.getByRole('button', { name: 'Offer vault' }).click();
  await behave(page, 'wait');
  await form.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.delegate .status', 'Waiting for the wallet to sign');
  expect(await form.getByRole('button', { name: 'Offer vault' }).isDisabled()).toBe(true);
  expect(await form.getByLabel('Address of the other owner').isDisabled()).toBe(true);
  await release(page);
  await says(page, '.delegate .status', 'The vault is offered.');
});

it('are not asked to sign what was simulated long ago', async () => {
  await page.evaluate(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 61_000;
  });
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '.panel .problem', 'That was simulated more than a minute ago.');
  // The button that signs does not have the focus: nobody has seen what is there now.
  const focus = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  await expect.poll(focus).toBe('Review');
  await expectAccessible(page);
  await picture(page, 'review-again');
  await isStillPossible();
});

it('are locked, and come back', async () => {
  await take(page, undefined);
  await says(page, '[aria-label=Connection]', `${WALLET} is locked or has disconnected.`);
  await expectAccessible(page);
  await picture(page, 'wallet-locked');
  await connect(page, WALLET);
  await expect.poll(() => page.getByLabel('Amount').inputValue()).toBe('250');
  await page.getByRole('button', { name: 'Review' }).click();
  await isStillPossible();
});

it('change to another account, which has a vault of its own', async () => {
  const address = await page.locator('.address').getAttribute('title');
  await take(page, 1);
  await says(page, '[aria-label=Connection]', `${WALLET} has changed to another account.`);
  await page.getByRole('button', { name: 'Open vault' }).waitFor();
  expect(await page.locator('.address').getAttribute('title')).not.toBe(address);
  // What was reviewed for the other one is not signed for this one.
  expect(await page.getByRole('button', { name: 'Sign and send' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Get test tokens' }).click();
  await page.getByRole('button', { name: 'Open vault' }).click();
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, 'main', 'The vault is empty');
  await take(page, 0);
  await expect.poll(() => page.locator('.address').getAttribute('title')).toBe(address);
});
