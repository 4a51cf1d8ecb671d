/** Several vaults of a wallet, one that another wallet acts on, and one that changes hands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, picture } from './browser';
import { Stage, choose, connect, move, openVault, says } from './stage';

let stage: Stage | undefined;
let owner: Page;
let other: Page;
const complaints: string[][] = [];

/** The usual scenario with a staked SOL, which is in an efficiency group with SOL. */
function withGroup(): string {
  const usual = readFileSync(new URL('market.toml', import.meta.url), 'utf8');
  const [head = '', sol = '', ...others] = usual.split('[[assets]]');
  const group =
    'group = { id = 1, max_ltv_bps = 9_000, liquidation_threshold_bps = 9_300, min_bonus_bps = 50, max_bonus_bps = 200, max_bonus_health_bps = 9_600 }';
  const grouped = `${sol.trimEnd()}\n${group}\n\n`;
  const staked = grouped.replace('"SOL"', '"stSOL"').replace('native = true\n', '').replace('200.0', '220.0');
  const file = join(mkdtempSync(join(tmpdir(), 'keel-scenario-')), 'group.toml');
  writeFileSync(file, [head, grouped, staked, ...others].join('[[assets]]'));
  return file;
}

/** A wallet with test tokens on the vault's page. */
async function wallet(): Promise<Page> {
  if (stage === undefined) {
    throw new Error('there is no chain');
  }
  const { page, seen } = await stage.open('/vault');
  complaints.push(seen.complaints);
  return page;
}

function addressOf(page: Page): Promise<string> {
  return page.locator('.wallet .address').getAttribute('title').then(String);
}

async function sign(page: Page, done: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign and send' }).click();
  await says(page, '[role=status]', done);
}

beforeAll(async () => {
  const scenario = withGroup();
  stage = await Stage.begin({ scenario });
  rmSync(dirname(scenario), { recursive: true });
  [owner, other] = await Promise.all([wallet(), wallet()]);
  await openVault(owner);
  await move(owner, 'Deposit', 'SOL', '10', 'Deposited.');
  await connect(other);
  await other.getByRole('button', { name: 'Get test tokens' }).click();
  await says(other, '.wallet', 'Test tokens have arrived.');
});

afterAll(() => stage?.end());

describe('a delegate', () => {
  it('is set with chosen rights', async () => {
    await owner.getByText('Delegate and transfer').click();
    const form = owner.locator('.delegate form').first();
    await form.getByLabel('Address of the delegate').fill('not an address');
    await says(owner, '.delegate [role=alert]', 'Write the address of a wallet.');
    await form.getByLabel('Address of the delegate').fill(await addressOf(other));
    await form.getByLabel('Borrow, paid out to you only').check();
    await form.getByLabel('Withdraw and borrow to anybody').check();
    await says(owner, '.delegate', 'can take everything out of the vault');
    await expectAccessible(owner);
    await picture(owner, 'delegate');
    await form.getByLabel('Withdraw and borrow to anybody').uncheck();
    await form.getByRole('button', { name: 'Set delegate' }).click();
    await says(owner, '.delegate .review', /\w{32,44} may deposit and borrow, until 20\d\d-\d\d-\d\d 00:00 UTC/);
    await sign(owner, 'The delegate is set.');
    await says(owner, '.delegate', /may deposit and borrow until/);
    await expectAccessible(owner);
    await picture(owner, 'delegate-set');
  });

  it('acts on the vault, and what it borrows is the owner’s', async () => {
    await other.getByRole('button', { name: /Vault 1 of \w{4}….*you are its delegate/ }).click();
    await says(other, '.acting', 'You may deposit and borrow, until');
    await says(other, '.positions li', '$2,000.00');
    await expectAccessible(other);
    await picture(other, 'acting');
    await move(other, 'Borrow', 'USDC', '100', 'Borrowed.');
    await says(other, '.positions li', 'Debt');
    // A right that it was not given.
    await choose(other, 'Withdraw', 'SOL');
    await other.getByLabel('Amount').fill('1');
    await other.getByRole('button', { name: 'Review' }).click();
    await says(other, '.panel .problem', 'The delegate of this vault does not have this right.');
    // The owner had 10,000 of the faucet, and has not borrowed.
    await choose(owner, 'Repay', 'USDC');
    await says(owner, '.panel .small', 'In the wallet: 10,100 USDC');
  });

  it('is revoked, and refused from then on', async () => {
    await owner.getByRole('button', { name: 'Revoke' }).click();
    await says(owner, '.delegate .review', 'Nobody but you may act on the vault.');
    await sign(owner, 'The delegate is revoked.');
    await says(owner, '.delegate summary', 'only you may act');
    await says(other, '.acting', 'you are not its delegate');
    await choose(other, 'Borrow', 'USDC');
    await other.getByLabel('Amount').fill('1');
    await other.getByRole('button', { name: 'Review' }).click();
    await says(other, '.panel .problem', 'The signer is not the owner of the vault.');
    await picture(other, 'revoked');
  });
});

describe('vaults', () => {
  it('may be several, with a health each', async () => {
    await owner.getByRole('button', { name: 'Open another' }).click();
    await sign(owner, 'The vault is open.');
    await says(owner, 'main', 'The vault is empty');
    await says(owner, '.switcher [aria-current=true]', /Vault 2no debt/);
    await move(owner, 'Deposit', 'USDC', '50', 'Deposited.');
    await says(owner, '.positions li', '$50.00');
    await expectAccessible(owner);
    await picture(owner, 'vaults');
    await owner.getByRole('button', { name: /Vault 1 health 1\d\./ }).click();
    await says(owner, '.positions li', '$2,000.00');
  });

  it('may be in an efficiency group, whose assets carry more', async () => {
    await owner.getByRole('button', { name: 'Open another' }).click();
    await sign(owner, 'The vault is open.');
    await says(owner, '.switcher [aria-current=true]', /Vault 3no debt/);
    await move(owner, 'Deposit', 'stSOL', '2', 'Deposited.');
    await move(owner, 'Borrow', 'SOL', '1', 'Borrowed.');
    await owner.getByLabel('Group', { exact: true }).selectOption({ label: 'SOL and stSOL' });
    await says(owner, 'main', 'stSOL: loans of up to 90 % of its value, instead of 75 % less the haircut');
    await owner.getByRole('button', { name: 'Set group' }).click();
    // 440 dollars carry 440 * 0.82 * 0.97 and then 440 * 0.93.
    await says(owner, '.review', /Health factor1\.7\d → 2\.0\dBorrow limit\$31\d\.\d\d → \$39\d\.\d\d/);
    await expectAccessible(owner);
    await picture(owner, 'group');
    await sign(owner, 'The group is set.');
    // Borrowed from outside of the group, the usual weights count again.
    await move(owner, 'Borrow', 'USDC', '10', 'Borrowed.');
    await says(owner, 'main', 'Now it owes something else: the usual weights count.');
    await owner.getByRole('button', { name: /Vault 1 health/ }).click();
    await says(owner, '.positions li', '$2,000.00');
  });

  it('change hands when the other accepts', async () => {
    await owner.getByText('Delegate and transfer').click();
    await owner.getByLabel('Address of the other owner').fill(await addressOf(other));
    await owner.getByRole('button', { name: 'Offer vault' }).click();
    await says(owner, '.delegate .review', /Once \w{32,44} accepts, the vault with all it holds is theirs/);
    await sign(owner, 'The vault is offered.');
    await says(owner, '.delegate', 'who has not accepted yet');
    await other.getByRole('button', { name: /Accept Vault 1 of/ }).click();
    await says(other, '.switcher .review', 'The vault becomes yours');
    await expectAccessible(other);
    await picture(other, 'offered');
    await sign(other, 'The vault is yours.');
    await says(other, '.switcher [aria-current=true]', /Vault 1health/);
    await move(other, 'Withdraw', 'SOL', '1', 'Withdrawn.');
    await says(owner, '.acting', 'you are not its delegate');
    expect(complaints).toEqual([[], []]);
  });
});
