/** Queued changes, as a visitor, as the guardian and as anyone who executes them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAssociatedTokenPda, TOKEN_PROGRAM_ADDRESS } from '@solana-program/token';
import type { Address } from '@solana/kit';
import { short } from '../src/format';
import { Role } from '../src/generated';
import { PAUSE_LIQUIDATE, PAUSE_REPAY, PAUSE_TOP_UP } from '../src/generated/constants';
import { expectAccessible, observeShifts, picture, shifts } from './browser';
import { Governance } from './queue';
import { Stage, connect, says, useKey } from './stage';

let stage: Stage | undefined;
let open: Stage['open'];
let governance: Governance;

beforeAll(async () => {
  stage = await Stage.begin({ isPlayed: true });
  open = stage.open.bind(stage);
  governance = await Governance.of(stage.chain);
});

afterAll(() => stage?.end());

/** The card of a change, by its title. */
const CHANGE = 'main .change';

describe('queued changes', () => {
  it('are shown with what they loosen, and count down', async () => {
    const { page, seen } = await open('/governance', observeShifts);
    const card = page.locator(CHANGE, { hasText: 'Parameters of SOL' });
    await card.waitFor();
    const lines = await card.locator('.lines > li').allTextContents();
    expect(lines).toEqual([
      'Limits deposit cap500,000 SOL → 750,000 SOLLooser Vaults feel nothing',
      'Collateral base haircut3 % → 3.5 %Tighter Vaults feel it slowly',
      'Collateral max loan to value75 % → 76 %Looser Vaults feel nothing',
    ]);
    expect(await card.locator('.badge').textContent()).toBe('Loosens 2 parameters');
    await says(page, CHANGE, /Offers to make .* risk steward/);
    await says(page, CHANGE, /Parameters of kUSD.*Limits borrow cap1,000,000 kUSD → 1,500,000 kUSD/);
    // Almost a day is left of the last one's notice.
    await says(page, CHANGE, /Parameters of kUSD.*Can be executed in 23 h \d+ min/);
    await says(page, '.roles', /Governance\w{4}….*a key/);
    await says(page, '.roles', /Notice1 d.*7 d/);
    await says(page, '.roles', 'PausedNothing');
    // It ticks, and nothing else moves.
    const timer = card.getByRole('timer');
    const before = await timer.textContent();
    expect(await shifts(page)).toBeLessThan(0.01);
    expect(await timer.textContent()).not.toBe(before);
    await expectAccessible(page);
    await picture(page, 'governance');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are executed by anyone after their notice', async () => {
    const { page, seen } = await open('/governance');
    const card = page.locator(CHANGE, { hasText: 'Parameters of SOL' });
    await card.getByText('Can be executed now').waitFor({ timeout: 60_000 });
    await says(page, CHANGE, 'Anyone may execute it.');
    await connect(page);
    await page.getByRole('button', { name: 'Get test tokens' }).click();
    await page.getByText('Test tokens have arrived.').waitFor();
    await expect(card.getByRole('button', { name: 'Veto' }).count()).resolves.toBe(0);
    await card.getByRole('button', { name: 'Execute' }).click();
    await says(page, '.review', 'comes into force at once');
    await expectAccessible(page);
    await picture(page, 'governance-execute');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, 'main > .status', /Change \d+ is in force\./);
    await card.waitFor({ state: 'detached' });
    await says(page, '.ended li', /Change \d+ was executed/);
    // What it announced is what there is now.
    await page.getByRole('link', { name: 'Markets' }).click();
    await page.getByRole('link', { name: 'Governance' }).click();
    await says(page, '.ended li', 'was executed');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are closed by anyone when they have expired', async () => {
    await governance.expire('Role');
    const { page, seen } = await open('/governance');
    const card = page.locator(CHANGE, { hasText: 'Another risk steward' });
    await card.getByText('nobody executed it until').waitFor();
    await connect(page);
    await page.getByRole('button', { name: 'Get test tokens' }).click();
    await page.getByText('Test tokens have arrived.').waitFor();
    await card.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, 'main > .status', /Change \d+ is closed/);
    await says(page, '.ended li', /Change \d+ expired and was closed by/);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are vetoed by the guardian', async () => {
    if (stage === undefined) {
      throw new Error('there is no chain');
    }
    const { page, seen } = await open('/governance', useKey(stage.chain, 'guardian'));
    const card = page.locator(CHANGE, { hasText: 'Parameters of kUSD' });
    await card.waitFor();
    await connect(page);
    await card.getByRole('button', { name: 'Veto' }).click();
    await says(page, '.review', 'never comes into force');
    await picture(page, 'governance-veto');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, 'main > .status', /Change \d+ is vetoed/);
    await card.waitFor({ state: 'detached' });
    await says(page, '.ended li', /Change \d+ was vetoed by \w{4}…/);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('may list an asset and pay insurance out', async () => {
    const { page, seen } = await open('/governance');
    await connect(page);
    await page.getByRole('button', { name: 'Get test tokens' }).click();
    await page.getByText('Test tokens have arrived.').waitFor();
    const owner = (await page.locator('.wallet .address').getAttribute('title')) as Address;
    const { mint } = governance.asset('USDC');
    const [account] = await findAssociatedTokenPda({ owner, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS });
    const listed = await governance.list('SOL');
    await governance.payInsurance('USDC', 1n, account);
    const listing = page.locator(CHANGE, { hasText: `Listing of ${short(listed)}` });
    const payment = page.locator(CHANGE, { hasText: 'Insurance of USDC paid out' });
    await says(page, CHANGE, `Pays 0.000001 USDC to ${short(account)}`);
    expect(await listing.locator('.badge').textContent()).toBe('Adds an asset');
    expect(await payment.locator('.badge').textContent()).toBe('Takes insurance out');
    await expectAccessible(page);
    await picture(page, 'governance-kinds');
    for (const card of [listing, payment]) {
      await card.getByRole('button', { name: 'Execute' }).click();
      await page.getByRole('button', { name: 'Sign and send' }).click();
      await says(page, 'main > .status', /is in force/);
      await card.waitFor({ state: 'detached' });
    }
    // A page that was open before lists it, too, with a price and nothing in it.
    await page.getByRole('link', { name: 'Markets' }).click();
    await page.locator('tbody tr', { hasText: `${listed.slice(0, 4)}…$200.00` }).waitFor({ timeout: 30_000 + 20_000 });
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });
});

describe('a pause', () => {
  it('is shown, and then that owners come first', async () => {
    const { page, seen } = await open('/governance');
    await says(page, '.roles', 'PausedNothing');
    // Everything that is paused first has a lower bit.
    await governance.pause((PAUSE_TOP_UP - 1) | PAUSE_REPAY | PAUSE_LIQUIDATE, 3_600);
    await says(page, '.roles', /Governance has paused deposits, .*repayments, and liquidations, for (1 h|59 min)/);
    await says(page, '.roles', /For 1 h 1\d min from now nobody is liquidated or redeemed from: owners come first/);
    await expectAccessible(page);
    await picture(page, 'pause');
    await governance.pause(0, 0);
    await says(page, '.roles', /PausedFor (15|14) min .*nobody is liquidated/);
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });
});

describe('a role', () => {
  it('is accepted by the wallet that it was offered to, and by no other', async () => {
    const { page, seen } = await open('/governance');
    await connect(page);
    await page.getByRole('button', { name: 'Get test tokens' }).click();
    await page.getByText('Test tokens have arrived.').waitFor();
    const address = (await page.locator('.wallet .address').getAttribute('title')) as Address;
    await governance.offer(Role.Guardian, address);
    const card = page.locator(CHANGE, { hasText: 'Another guardian' });
    await says(page, CHANGE, /Offers to make .* the guardian/);
    await card.getByRole('button', { name: 'Execute' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).click();
    const roles = page.locator('.roles');
    await says(page, '.roles', new RegExp(`Offered to ${short(address)}.*, who has 6 d 23 h to accept`));

    const { page: other } = await open('/governance');
    await connect(other);
    await says(other, '.roles', `Offered to ${short(address)}`);
    expect(await other.getByRole('button', { name: /^Accept/ }).count()).toBe(0);
    await other.context().close();

    await says(page, '.roles', 'It is offered to you.');
    await expectAccessible(page);
    await picture(page, 'role-offered');
    await roles.getByRole('button', { name: 'Accept the role: Guardian' }).click();
    await says(
      page,
      '.roles .review',
      /Your wallet becomes guardian at once, which pauses for up to 3 days.*is not any more/,
    );
    await expectAccessible(page);
    await picture(page, 'role-review');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, '.roles [role=status]', 'The role is yours: Guardian.');
    await roles.getByText('Offered to').waitFor({ state: 'detached' });
    expect(await roles.locator(`code[title="${address}"]`).count()).toBe(1);
    expect(await roles.getByRole('button', { name: /^Accept/ }).count()).toBe(0);
    await picture(page, 'role-accepted');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });
});
