/** A wallet: it has an address and signs. What it signs is built, simulated and sent by the app. */
import type { Address } from '@solana/kit';

export interface Wallet {
  name: string;
  address: Address;
  /** Signs a transaction in the format of the wire, and returns it in the same. */
  sign(transaction: Uint8Array): Promise<Uint8Array>;
}

/** A way to get a wallet. */
export interface Connector {
  name: string;
  connect(): Promise<Wallet>;
}
