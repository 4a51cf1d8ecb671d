/** Writes requests as crates/risk-wasm/src/request.rs reads them. */
import { getAddressEncoder, type Address, type ReadonlyUint8Array } from '@solana/kit';
import type { Receive } from '../generated';

/** A fetched account. */
export interface RawAccount {
  address: Address;
  /** The program that owns it. */
  owner: Address;
  data: ReadonlyUint8Array;
}

/** A reserve, and the price accounts to show for its feeds, in the order of the feeds. */
export interface RawReserve extends RawAccount {
  priceAccounts: readonly Address[];
}

/** A price account. */
export interface RawPrice extends RawAccount {
  /** At how many basis points of what it says the price is looked at; 10,000 unless said. */
  bps?: number;
}

/** As it is. */
const WHOLE_BPS = 10_000;

/** When a vault is looked at. */
export interface Moment {
  /** Unix seconds. */
  now: bigint;
  /** The slot at which the cluster last restarted (a sysvar), 0 if it never did. */
  lastRestartSlot: bigint;
}

/** The accounts of a market as they were fetched. Answers name reserves by their number in `reserves`. */
export interface Snapshot {
  market: RawAccount;
  reserves: readonly RawReserve[];
  prices: readonly RawPrice[];
}

/** The market with the prices of some reserves at so many basis points of what they are. Minted tokens are owed at par. */
export function withPricesAt(snapshot: Snapshot, reserves: readonly Address[], bps: number): Snapshot {
  const moved = snapshot.reserves.filter(({ address }) => reserves.includes(address));
  const accounts = new Set(moved.flatMap(({ priceAccounts }) => priceAccounts));
  return {
    ...snapshot,
    prices: snapshot.prices.map((price) => (accounts.has(price.address) ? { ...price, bps } : price)),
  };
}

/** A user's action. */
export type Action = 'deposit' | 'withdraw' | 'borrow' | 'repay';

const ACTIONS: Record<Action, number> = { deposit: 0, withdraw: 1, borrow: 2, repay: 3 };

/** Of an exact amount of native units, or of all there is; see `AmountSpec`. */
export type Amount = bigint | 'all';

export type Question =
  | { kind: 'reserves' }
  | { kind: 'vault'; vault: RawAccount }
  | { kind: 'preview'; vault: RawAccount; reserve: Address; action: Action; amount: Amount }
  | { kind: 'largest'; vault: RawAccount; reserve: Address; action: Action }
  | { kind: 'outlook'; vault: RawAccount; seconds: number }
  | { kind: 'remaining'; vault: RawAccount; acted: readonly Address[] }
  | { kind: 'priced'; vault: RawAccount; reserve: Address; price: bigint }
  | { kind: 'change'; change: RawAccount }
  | { kind: 'liquidate'; vault: RawAccount; debt: Address; collateral: Address; most: bigint; receive: Receive }
  | { kind: 'least'; vault: RawAccount; reserve: Address; action: Action; health: bigint };

const NUMBERS: Record<Question['kind'], number> = {
  reserves: 1,
  vault: 2,
  preview: 3,
  largest: 4,
  outlook: 5,
  remaining: 6,
  priced: 7,
  change: 8,
  liquidate: 9,
  least: 10,
};

/** Decoding base 58 takes longer than an answer does, and the addresses of a market are always the same. */
const known = new Map<Address, ReadonlyUint8Array>();

function addressBytes(address: Address): ReadonlyUint8Array {
  let bytes = known.get(address);
  if (bytes === undefined) {
    bytes = getAddressEncoder().encode(address);
    known.set(address, bytes);
  }
  return bytes;
}

class Writer {
  private bytes = new Uint8Array(65_536);
  private length = 0;

  private room(count: number): DataView {
    if (this.length + count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    const view = new DataView(this.bytes.buffer, this.length, count);
    this.length += count;
    return view;
  }

  u8(value: number): void {
    this.room(1).setUint8(0, checked(value, 8));
  }

  u16(value: number): void {
    this.room(2).setUint16(0, checked(value, 16), true);
  }

  u32(value: number): void {
    this.room(4).setUint32(0, checked(value, 32), true);
  }

  u64(value: bigint): void {
    if (value !== BigInt.asUintN(64, value)) {
      throw new RangeError(`${value.toString()} is not an amount: it does not fit 64 bits`);
    }
    this.room(8).setBigUint64(0, value, true);
  }

  i64(value: bigint): void {
    this.room(8).setBigInt64(0, value, true);
  }

  u128(value: bigint): void {
    if (value !== BigInt.asUintN(128, value)) {
      throw new RangeError(`${value.toString()} does not fit 128 bits`);
    }
    const view = this.room(16);
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    view.setBigUint64(8, value >> 64n, true);
  }

  raw(bytes: ReadonlyUint8Array): void {
    const start = this.length;
    this.room(bytes.length);
    this.bytes.set(bytes, start);
  }

  address(address: Address): void {
    this.raw(addressBytes(address));
  }

  account(account: RawAccount): void {
    this.address(account.address);
    this.address(account.owner);
    this.u32(account.data.length);
    this.raw(account.data);
  }

  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

function checked(value: number, bits: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) {
    throw new RangeError(`${value.toString()} does not fit ${bits.toString()} bits`);
  }
  return value;
}

/** The bytes of a request. */
export function writeRequest(snapshot: Snapshot, moment: Moment, question: Question): Uint8Array {
  const writer = new Writer();
  writer.u8(NUMBERS[question.kind]);
  writer.i64(moment.now);
  writer.u64(moment.lastRestartSlot);
  writer.account(snapshot.market);
  writer.u16(snapshot.reserves.length);
  for (const reserve of snapshot.reserves) {
    writer.account(reserve);
    writer.u8(reserve.priceAccounts.length);
    for (const price of reserve.priceAccounts) {
      writer.address(price);
    }
  }
  writer.u16(snapshot.prices.length);
  for (const price of snapshot.prices) {
    writer.account(price);
    writer.u32(price.bps ?? WHOLE_BPS);
  }
  writeQuestion(writer, question);
  return writer.taken();
}

function writeQuestion(writer: Writer, question: Question): void {
  if (question.kind === 'reserves') {
    return;
  }
  if (question.kind === 'change') {
    writer.account(question.change);
    return;
  }
  writer.account(question.vault);
  switch (question.kind) {
    case 'vault':
      return;
    case 'preview':
      writer.address(question.reserve);
      writer.u8(ACTIONS[question.action]);
      writer.u8(question.amount === 'all' ? 1 : 0);
      writer.u64(question.amount === 'all' ? 0n : question.amount);
      return;
    case 'largest':
      writer.address(question.reserve);
      writer.u8(ACTIONS[question.action]);
      return;
    case 'outlook':
      writer.u32(question.seconds);
      return;
    case 'remaining':
      writer.u8(question.acted.length);
      for (const reserve of question.acted) {
        writer.address(reserve);
      }
      return;
    case 'priced':
      writer.address(question.reserve);
      writer.u128(question.price);
      return;
    case 'liquidate':
      writer.address(question.debt);
      writer.address(question.collateral);
      writer.u64(question.most);
      writer.u8(question.receive);
      return;
    case 'least':
      writer.address(question.reserve);
      writer.u8(ACTIONS[question.action]);
      writer.u128(question.health);
  }
}
