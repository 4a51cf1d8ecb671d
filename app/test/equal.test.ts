/**
 * WebAssembly gives the answers that the same code gives on this machine, which the Rust tests compare with the compiled
 * program: on the ten thousand vaults that they wrote down (tests/previews).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Address } from '@solana/kit';
import { beforeAll, expect, it } from 'vitest';
import {
  findLiquidityPda,
  findReservePda,
  findVaultPda,
  getChangeCodec,
  getMarketCodec,
  getPendingChangeCodec,
  getReserveCodec,
  getVaultCodec,
  type Receive,
} from '../src/generated';
import type { Action, RawAccount, Risk, Snapshot } from '../src/risk';
import { writeRequest, type Moment, type Question } from '../src/risk/request';
import { loadRisk } from './support';

interface AccountJson {
  address: Address;
  owner: Address;
  data: string;
}

interface CaseJson {
  vault: AccountJson;
  vaultAnswer: string;
  preview: { action: Action; reserve: Address; amount: string; answer: string };
  largest: { reserve: Address; answer: string };
  outlook: { seconds: number; answer: string };
  remaining: { acted: Address[]; answer: string };
  priced: { reserve: Address; price: string; answer: string };
  movedAnswer: string;
  least: { action: Action; reserve: Address; health: string; answer: string };
  liquidation: {
    debt: Address;
    collateral: Address;
    most: string;
    receive: Receive;
    answer: string;
    remaining: string;
  } | null;
}

interface SceneJson {
  now: string;
  lastRestartSlot: string;
  market: AccountJson;
  reserves: (AccountJson & { priceAccounts: Address[] })[];
  prices: (AccountJson & { movedBps: number })[];
  reservesAnswer: string;
  changes: { account: AccountJson; answer: string }[];
  vaults: CaseJson[];
}

const folder = process.env['KEEL_PREVIEW_CASES'];
if (folder === undefined) {
  throw new Error('KEEL_PREVIEW_CASES names the folder of the cases; `cargo xtask test` has them written and sets it');
}

function account({ address, owner, data }: AccountJson): RawAccount {
  return { address, owner, data: new Uint8Array(Buffer.from(data, 'base64')) };
}

/** What `kind` is of a reserve that has a token account. */
const POOLED = 1;

let risk: Risk;
let vaults = 0;
let liquidations = 0;

beforeAll(async () => {
  risk = await loadRisk();
});

it.each(readdirSync(folder).sort())('%s', async (name) => {
  const scene = JSON.parse(readFileSync(join(folder, name), 'utf8')) as SceneJson;
  const snapshot: Snapshot = {
    market: account(scene.market),
    reserves: scene.reserves.map((reserve) => ({ ...account(reserve), priceAccounts: reserve.priceAccounts })),
    prices: scene.prices.map((price) => account(price)),
  };
  const moment: Moment = { now: BigInt(scene.now), lastRestartSlot: BigInt(scene.lastRestartSlot) };
  const moved = { ...snapshot, prices: scene.prices.map((price) => ({ ...account(price), bps: price.movedBps })) };
  const check = (question: Question, expected: string, at: Snapshot = snapshot) => {
    // Comparing first: a failing `expect` for each would cost more than the answers.
    const answer = risk.answer(writeRequest(at, moment, question));
    if (answer !== expected) {
      expect(answer).toBe(expected);
    }
  };
  check({ kind: 'reserves' }, scene.reservesAnswer);
  // The generated client reads the same bytes, and writes them back; the addresses that it derives are the program's.
  const market = getMarketCodec();
  expect(market.encode(market.decode(snapshot.market.data))).toEqual(snapshot.market.data);
  for (const { address, data } of snapshot.reserves) {
    const codec = getReserveCodec();
    const reserve = codec.decode(data);
    expect(codec.encode(reserve)).toEqual(data);
    expect((await findReservePda(reserve))[0]).toBe(address);
    if (reserve.kind === POOLED) {
      expect((await findLiquidityPda({ reserve: address }))[0]).toBe(reserve.liquidity);
    }
  }
  for (const queued of scene.changes) {
    const change = account(queued.account);
    check({ kind: 'change', change }, queued.answer);
    const pending = getPendingChangeCodec().decode(change.data);
    expect(getPendingChangeCodec().encode(pending)).toEqual(change.data);
    const encoded = pending.payload.slice(0, pending.len);
    expect(getChangeCodec().encode(getChangeCodec().decode(encoded))).toEqual(encoded);
  }
  for (const one of scene.vaults) {
    const vault = account(one.vault);
    const { action, reserve, amount, answer } = one.preview;
    check({ kind: 'vault', vault }, one.vaultAnswer);
    check({ kind: 'preview', vault, reserve, action, amount: amount === 'all' ? 'all' : BigInt(amount) }, answer);
    check({ kind: 'largest', vault, reserve: one.largest.reserve, action: 'borrow' }, one.largest.answer);
    check({ kind: 'outlook', vault, seconds: one.outlook.seconds }, one.outlook.answer);
    check({ kind: 'remaining', vault, acted: one.remaining.acted }, one.remaining.answer);
    const { priced } = one;
    check({ kind: 'priced', vault, reserve: priced.reserve, price: BigInt(priced.price) }, priced.answer);
    check({ kind: 'vault', vault }, one.movedAnswer, moved);
    const { least, liquidation } = one;
    const health = BigInt(least.health);
    check({ kind: 'least', vault, reserve: least.reserve, action: least.action, health }, least.answer);
    if (liquidation !== null) {
      const { debt, collateral, receive } = liquidation;
      const most = BigInt(liquidation.most);
      check({ kind: 'liquidate', vault, debt, collateral, most, receive }, liquidation.answer);
      check({ kind: 'remaining', vault, acted: [debt, collateral] }, liquidation.remaining);
      liquidations += liquidation.answer.startsWith('{"repay"') ? 1 : 0;
    }
    const decoded = getVaultCodec().decode(vault.data);
    expect(getVaultCodec().encode(decoded)).toEqual(vault.data);
    if (vaults % scene.vaults.length === 0) {
      expect((await findVaultPda(decoded))[0]).toBe(vault.address);
    }
    const occupied = decoded.positions.filter((position) => position.side !== 0).length;
    const view = risk.vault(snapshot, moment, vault);
    expect(view.amounts.length).toBe(occupied);
    expect(view.positions.length).toBe('refused' in view.liquidation ? 0 : occupied);
    // At the price that it has, a vault is what it is.
    const [first] = view.positions;
    const held = first && snapshot.reserves[first.reserve];
    if (first !== undefined && held !== undefined) {
      expect({ discarded: null, ...risk.priced(snapshot, moment, vault, held.address, first.price) }).toEqual(
        view.liquidation,
      );
    }
    vaults += 1;
  }
});

it('were ten thousand', () => {
  expect(vaults).toBe(10_000);
  expect(liquidations).toBeGreaterThan(1_000);
});
