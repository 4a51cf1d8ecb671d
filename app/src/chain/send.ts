/** From a wish to an executed transaction: build, simulate, sign, send, wait. */
import {
  appendTransactionMessageInstructions,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  fetchAddressesForLookupTables,
  getBase64Decoder,
  getBase64EncodedWireTransaction,
  getBase64Encoder,
  getSignatureFromTransaction,
  getTransactionDecoder,
  getTransactionEncoder,
  isSolanaError,
  pipe,
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageComputeUnitPrice,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR,
  SOLANA_ERROR__TRANSACTION_ERROR__ALREADY_PROCESSED,
  unwrapSimulationError,
  type Address,
  type Base64EncodedWireTransaction,
  type Instruction,
  type ReadonlyUint8Array,
  type Rpc,
  type Signature,
  type SolanaRpcApi,
  type TransactionMessageBytesBase64,
} from '@solana/kit';
import type { RawAccount, Risk } from '../risk';
import type { Wallet } from '../wallet';
import type { Config } from './config';
import { explain, explainTransaction } from './errors';
import { instructionsOf, type Wish } from './instructions';
import { priorityFee, recentPrice } from './priority';
import type { Holdings, State } from './state';

/** A simulation measures what is used; a transaction may use a tenth more, as interest accrues differently. */
const MOST_COMPUTE_UNITS = 1_400_000;
const POLL_MILLISECONDS = 400;
const PATIENCE_MILLISECONDS = 60_000;

/** A transaction that was simulated and waits for a signature. */
export interface Prepared {
  /** When it was simulated, as `Date.now()` says it: that goes on while a machine sleeps. */
  at: number;
  /** Whose it is, and the data of their vault that it was simulated with. */
  owner: Address;
  vault: ReadonlyUint8Array | undefined;
  instructions: readonly Instruction[];
  computeUnits: number;
  /** Millionths of a lamport per compute unit. */
  price: bigint;
  /** Lamports for the network, and of these what is paid to be included first. */
  fee: bigint;
  priority: bigint;
  /** The shown vault afterwards, if it is still there. */
  vaultAfter: RawAccount | undefined;
  /** Lamports of the wallet before and after, the fee and the deposits of accounts included. */
  lamports: { before: bigint; after: bigint };
}

/** The chain refused, with the reason in words. */
export class RefusedError extends Error {}

/** Nothing was sent, with the reason in words: the wallet did not sign, or the chain did not answer before it. */
export class UnsentError extends Error {}

async function compile(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  wallet: Wallet,
  instructions: readonly Instruction[],
  units: number,
  price: bigint,
) {
  const { value: lifetime } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  const tables = await fetchAddressesForLookupTables([config.lookupTable], rpc, { commitment: 'confirmed' });
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayer(wallet.address, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
    (m) => setTransactionMessageComputeUnitLimit(units, m),
    (m) => (price === 0n ? m : setTransactionMessageComputeUnitPrice(price, m)),
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
  const { transaction } = await compile(rpc, config, wallet, instructions, MOST_COMPUTE_UNITS, 0n);
  const message = getBase64Decoder().decode(transaction.messageBytes) as TransactionMessageBytesBase64;
  const [{ value: simulated }, { value: fee }, price] = await Promise.all([
    rpc
      .simulateTransaction(getBase64EncodedWireTransaction(transaction), {
        encoding: 'base64',
        commitment: 'confirmed',
        replaceRecentBlockhash: true,
        sigVerify: false,
        accounts: { encoding: 'base64', addresses: [wallet.address, holdings.vaultAddress] },
      })
      .send(),
    rpc.getFeeForMessage(message, { commitment: 'confirmed' }).send(),
    recentPrice(rpc, instructions),
  ]);
  if (simulated.err !== null) {
    throw new RefusedError(explainTransaction(simulated.err));
  }
  const used = Number(simulated.unitsConsumed ?? BigInt(MOST_COMPUTE_UNITS));
  const computeUnits = Math.min(MOST_COMPUTE_UNITS, used + Math.ceil(used / 10) + 10_000);
  const [walletAfter, vaultAfter] = simulated.accounts;
  // It was simulated without: what others pay is asked at the same time.
  const priority = priorityFee(price, computeUnits);
  return {
    at: Date.now(),
    owner: holdings.owner,
    vault: holdings.vault?.data,
    instructions,
    computeUnits,
    price,
    fee: (fee ?? 0n) + priority,
    priority,
    vaultAfter:
      vaultAfter === null || vaultAfter === undefined
        ? undefined
        : {
            address: holdings.vaultAddress,
            owner: vaultAfter.owner,
            data: getBase64Encoder().encode(vaultAfter.data[0]),
          },
    lamports: { before: holdings.lamports, after: (walletAfter?.lamports ?? 0n) - priority },
  };
}

/**
 * Has it signed, sends it, and waits until it is confirmed. `progress` is told what is waited for; it may throw what ends that.
 * Throws [`UnsentError`] and [`RefusedError`]; after any other error it is not known whether it will be executed.
 */
export async function send(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  wallet: Wallet,
  prepared: Prepared,
  progress: (step: 'signing' | 'confirming') => void,
): Promise<Signature> {
  progress('signing');
  const signed = await sign(rpc, config, wallet, prepared);
  progress('confirming');
  const signature = getSignatureFromTransaction(getTransactionDecoder().decode(signed));
  const wire = getBase64Decoder().decode(signed) as Base64EncodedWireTransaction;
  try {
    await rpc.sendTransaction(wire, { encoding: 'base64', preflightCommitment: 'confirmed' }).send();
  } catch (error) {
    // The node may have taken it although its answer is lost. Another tab may have sent the very same.
    const isAnswer = isSolanaError(error) && !isSolanaError(error, SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR);
    if (isAnswer && !isSolanaError(unwrapSimulationError(error), SOLANA_ERROR__TRANSACTION_ERROR__ALREADY_PROCESSED)) {
      throw new RefusedError(explain(error));
    }
  }
  await confirmed(rpc, signature);
  return signature;
}

async function sign(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  wallet: Wallet,
  { instructions, computeUnits, price }: Prepared,
): Promise<Uint8Array> {
  try {
    const { transaction } = await compile(rpc, config, wallet, instructions, computeUnits, price);
    return await wallet.sign(new Uint8Array(getTransactionEncoder().encode(transaction)));
  } catch (error) {
    throw new UnsentError(explain(error));
  }
}

/** Waits until it is. That the chain does not answer for a while says nothing about it. */
async function confirmed(rpc: Rpc<SolanaRpcApi>, signature: Signature): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  while (performance.now() < deadline) {
    const statuses = await rpc
      .getSignatureStatuses([signature])
      .send()
      .catch(() => undefined);
    const status = statuses?.value[0];
    if (status?.err != null) {
      throw new RefusedError(explainTransaction(status.err));
    }
    if (status?.confirmationStatus === 'confirmed' || status?.confirmationStatus === 'finalized') {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
  throw new Error('The chain has not confirmed it within a minute. It may still do so: look before you try again.');
}
