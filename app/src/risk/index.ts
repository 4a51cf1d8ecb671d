/**
 * Previews: what vaults are worth and what an action would do to them, by the program's own code in WebAssembly.
 *
 * Accounts go in as they were fetched, so that nothing here knows their layout.
 */
import { AccountRole, getAddressDecoder, getBase16Encoder, type AccountMeta, type Address } from '@solana/kit';
import type { Receive } from '../generated';
import {
  readAnswer,
  type ChangeView,
  type Largest,
  type Liquidation,
  type Preview,
  type RawMeta,
  type Refused,
  type ReserveView,
  type Totals,
  type VaultView,
} from './answer';
import {
  writeRequest,
  type Action,
  type Amount,
  type Moment,
  type Question,
  type RawAccount,
  type Snapshot,
} from './request';

export * from './answer';
export { withPricesAt } from './request';
export type { Action, Amount, Moment, RawAccount, RawReserve, Snapshot } from './request';

interface Exports {
  memory: WebAssembly.Memory;
  keel_allocate: (length: number) => number;
  keel_answer: (request: number, length: number) => number;
  keel_release: (answer: number) => void;
}

function isExports(exports: object): exports is Exports {
  return ['memory', 'keel_allocate', 'keel_answer', 'keel_release'].every((name) => name in exports);
}

/** The loaded module. */
export class Risk {
  private constructor(private readonly exports: Exports) {}

  /** Loads the module from its bytes, or from what fetching it gives. */
  static async load(source: BufferSource | Response | Promise<Response>): Promise<Risk> {
    const isBytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source);
    const { instance } = isBytes
      ? await WebAssembly.instantiate(source)
      : await WebAssembly.instantiateStreaming(source);
    if (!isExports(instance.exports)) {
      throw new TypeError('this WebAssembly is not the previews: run `cargo xtask app`');
    }
    return new Risk(instance.exports);
  }

  /** The reserves of a market, in the order of the snapshot. */
  reserves(snapshot: Snapshot, moment: Moment): ReserveView[] | Refused {
    const answer = this.ask(snapshot, moment, { kind: 'reserves' }) as { reserves: ReserveView[] } | Refused;
    return 'refused' in answer ? answer : answer.reserves;
  }

  /** What a vault is worth. */
  vault(snapshot: Snapshot, moment: Moment, vault: RawAccount): VaultView {
    return this.ask(snapshot, moment, { kind: 'vault', vault }) as VaultView;
  }

  /** What an action would come to. Refused when the books do not allow it, so that there is no vault afterwards. */
  preview(
    snapshot: Snapshot,
    moment: Moment,
    vault: RawAccount,
    reserve: Address,
    action: Action,
    amount: Amount,
  ): Preview | Refused {
    return this.ask(snapshot, moment, { kind: 'preview', vault, reserve, action, amount }) as Preview | Refused;
  }

  /** The largest exact amount of an action that the program accepts. */
  largest(snapshot: Snapshot, moment: Moment, vault: RawAccount, reserve: Address, action: Action): Largest {
    return this.ask(snapshot, moment, { kind: 'largest', vault, reserve, action }) as Largest;
  }

  /** The lowest that the vault's health can get within so many seconds while prices stand still, whatever others do. */
  outlook(snapshot: Snapshot, moment: Moment, vault: RawAccount, seconds: number): Totals | Refused {
    return this.ask(snapshot, moment, { kind: 'outlook', vault, seconds }) as Totals | Refused;
  }

  /** What liquidation would see if one asset had another price, dollars per native unit with 96 fractional bits. */
  priced(snapshot: Snapshot, moment: Moment, vault: RawAccount, reserve: Address, price: bigint): Totals | Refused {
    return this.ask(snapshot, moment, { kind: 'priced', vault, reserve, price }) as Totals | Refused;
  }

  /** What a liquidation would come to in which a keeper repays at most `most` native units of a debt, for tokens or shares. */
  liquidate(
    snapshot: Snapshot,
    moment: Moment,
    vault: RawAccount,
    debt: Address,
    collateral: Address,
    most: bigint,
    receive: Receive,
  ): Liquidation | Refused {
    const question = { kind: 'liquidate', vault, debt, collateral, most, receive } as const;
    return this.ask(snapshot, moment, question) as Liquidation | Refused;
  }

  /** The least deposit or repayment that brings the vault's health to this; `null` when none does. */
  least(
    snapshot: Snapshot,
    moment: Moment,
    vault: RawAccount,
    reserve: Address,
    action: Action,
    health: bigint,
  ): { amount: bigint | null } | Refused {
    return this.ask(snapshot, moment, { kind: 'least', vault, reserve, action, health }) as
      { amount: bigint | null } | Refused;
  }

  /**
   * The remaining accounts of an instruction on a vault that acts on `acted` (a liquidation: debt, then collateral), to be
   * appended to those of the generated instruction.
   */
  remaining(snapshot: Snapshot, vault: RawAccount, acted: readonly Address[]): AccountMeta[] {
    const moment = { now: 0n, lastRestartSlot: 0n };
    const answer = this.ask(snapshot, moment, { kind: 'remaining', vault, acted }) as { accounts: RawMeta[] };
    return answer.accounts.map(({ address, writable }) => ({
      address: getAddressDecoder().decode(getBase16Encoder().encode(address)),
      role: writable ? AccountRole.WRITABLE : AccountRole.READONLY,
    }));
  }

  /** What a queued change does, and where it is on its way. */
  change(snapshot: Snapshot, moment: Moment, change: RawAccount): ChangeView {
    return this.ask(snapshot, moment, { kind: 'change', change }) as ChangeView;
  }

  /** How much memory the module has taken; it never gives any back. */
  memoryBytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  private ask(snapshot: Snapshot, moment: Moment, question: Question): unknown {
    return readAnswer(this.answer(writeRequest(snapshot, moment, question)));
  }

  /** The answer to a request, both as the module has them. */
  answer(request: Uint8Array): string {
    const { memory, keel_allocate, keel_answer, keel_release } = this.exports;
    // An address of WebAssembly comes as a signed number.
    const at = keel_allocate(request.length) >>> 0;
    new Uint8Array(memory.buffer, at, request.length).set(request);
    const answer = keel_answer(at, request.length) >>> 0;
    // Only now: memory that has grown has another buffer.
    const length = new DataView(memory.buffer).getUint32(answer, true);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, answer + 4, length));
    keel_release(answer);
    return text;
  }
}
