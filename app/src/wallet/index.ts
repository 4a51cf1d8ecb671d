/** A wallet: it has an address and signs. What it signs is built, simulated and sent by the app. */
import type { Address } from '@solana/kit';

export interface Wallet {
  name: string;
  address: Address;
  /** Signs a transaction in the format of the wire, and returns it in the same. Throws [`UnsignedError`]. */
  sign(transaction: Uint8Array): Promise<Uint8Array>;
  /**
   * Calls back when the user takes another account in the wallet, or locks it: with what there is then, and why in words.
   * Returns how to stop that.
   */
  onChange(changed: (wallet: Wallet | undefined, words: string) => void): () => void;
}

/** A way to get a wallet. */
export interface Connector {
  name: string;
  connect(): Promise<Wallet>;
}

/** The wallet did not sign, with the reason in words. */
export class UnsignedError extends Error {}
