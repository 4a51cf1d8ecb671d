/** From a wish to an executed transaction: build, simulate, sign, send, wait. */
import {
  appendTransactionMessageInstructions,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  fetchAddressesForLookupTables,
  getBase64Decoder,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getTransactionDecoder,
  getTransactionEncoder,
  pipe,
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Base64EncodedWireTransaction,
  type Instruction,
  type Rpc,
  type Signature,
  type SolanaRpcApi,
  type TransactionMessageBytesBase64,
} from '@solana/kit';
import type { Risk } from '../risk';
import type { Wallet } from '../wallet';
import type { Config } from './config';
import { explainTransaction } from './errors';
import { instructionsOf, type Wish } from './instructions';
import type { Holdings, State } from './state';

/** A simulation measures what is used; a transaction may use a tenth more, as interest accrues differently. */
const MOST_COMPUTE_UNITS = 1_400_000;
const POLL_MILLISECONDS = 400;
const PATIENCE_MILLISECONDS = 60_000;

/** A transaction that was simulated and waits for a signature. */
export interface Prepared {
  instructions: readonly Instruction[];
  computeUnits: number;
  /** Lamports for the network. */
  fee: bigint;
  /** Lamports of the wallet before and after, the fee and the deposits of accounts included. */
  lamports: { before: bigint; after: bigint };
}

/** The chain refused, with the reason in words. */
export class RefusedError extends Error {}

async function compile(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  wallet: Wallet,
  instructions: readonly Instruction[],
  units: number,
) {
  const { value: lifetime } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  const tables = await fetchAddressesForLookupTables([config.lookupTable], rpc, { commitment: 'confirmed' });
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayer(wallet.address, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
    (m) => setTransactionMessageComputeUnitLimit(units, m),
    (m) => compressTransactionMessageUsingAddressLookupTables(m, tables),
  );
  return { lifetime, transaction: compileTransaction(message) };
}

/** Builds and simulates. Throws [`RefusedError`] when the chain would refuse. */
export async function prepare(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  risk: Risk,
  state: State,
  holdings: Holdings,
  wallet: Wallet,
  wish: Wish,
): Promise<Prepared> {
  const instructions = await instructionsOf(risk, state, holdings, wish);
  const { transaction } = await compile(rpc, config, wallet, instructions, MOST_COMPUTE_UNITS);
  const message = getBase64Decoder().decode(transaction.messageBytes) as TransactionMessageBytesBase64;
  const [{ value: simulated }, { value: fee }] = await Promise.all([
    rpc
      .simulateTransaction(getBase64EncodedWireTransaction(transaction), {
        encoding: 'base64',
        commitment: 'confirmed',
        replaceRecentBlockhash: true,
        sigVerify: false,
        accounts: { encoding: 'base64', addresses: [wallet.address] },
      })
      .send(),
    rpc.getFeeForMessage(message, { commitment: 'confirmed' }).send(),
  ]);
  if (simulated.err !== null) {
    throw new RefusedError(explainTransaction(simulated.err));
  }
  const used = Number(simulated.unitsConsumed ?? BigInt(MOST_COMPUTE_UNITS));
  return {
    instructions,
    computeUnits: Math.min(MOST_COMPUTE_UNITS, used + Math.ceil(used / 10) + 10_000),
    fee: fee ?? 0n,
    lamports: { before: holdings.lamports, after: simulated.accounts[0]?.lamports ?? 0n },
  };
}

/** Has it signed, sends it, and waits until it is confirmed. `progress` is told what is waited for. */
export async function send(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  wallet: Wallet,
  prepared: Prepared,
  progress: (step: 'signing' | 'confirming') => void,
): Promise<Signature> {
  progress('signing');
  const { transaction } = await compile(rpc, config, wallet, prepared.instructions, prepared.computeUnits);
  const signed = await wallet.sign(new Uint8Array(getTransactionEncoder().encode(transaction)));
  progress('confirming');
  const signature = getSignatureFromTransaction(getTransactionDecoder().decode(signed));
  const wire = getBase64Decoder().decode(signed) as Base64EncodedWireTransaction;
  await rpc.sendTransaction(wire, { encoding: 'base64', preflightCommitment: 'confirmed' }).send();
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  while (performance.now() < deadline) {
    const { value } = await rpc.getSignatureStatuses([signature]).send();
    const status = value[0];
    if (status?.err != null) {
      throw new RefusedError(explainTransaction(status.err));
    }
    if (status?.confirmationStatus === 'confirmed' || status?.confirmationStatus === 'finalized') {
      return signature;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
  throw new Error('The chain has not confirmed it within a minute. It may still do so: look before you try again.');
}
