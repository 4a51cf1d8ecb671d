/** What is paid to be included first, as the command line does: automatic, and bounded. */
import {
  isWritableRole,
  type Address,
  type GetRecentPrioritizationFeesApi,
  type Instruction,
  type Rpc,
} from '@solana/kit';

/** How many in a hundred of the others paid no more. */
const PERCENTILE = 75;
/** Most to pay, in millionths of a lamport per compute unit. */
const MOST = 200_000n;
/** How many accounts a node takes in one question. */
const MOST_ACCOUNTS = 128;
const MICRO = 1_000_000n;

/** The price for what others paid, in millionths of a lamport per compute unit. */
export function priceFor(paid: readonly bigint[]): bigint {
  const sorted = [...paid].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const price = sorted[Math.floor((sorted.length * PERCENTILE) / 100)] ?? 0n;
  return price < MOST ? price : MOST;
}

/** The price for transactions that write the same accounts; none where the node does not say what others paid. */
export async function recentPrice(
  rpc: Rpc<GetRecentPrioritizationFeesApi>,
  instructions: readonly Instruction[],
): Promise<bigint> {
  const metas = instructions.flatMap(({ accounts }) => accounts ?? []);
  const written = new Set<Address>(metas.filter(({ role }) => isWritableRole(role)).map(({ address }) => address));
  try {
    const recent = await rpc.getRecentPrioritizationFees([...written].slice(0, MOST_ACCOUNTS)).send();
    return priceFor(recent.map(({ prioritizationFee }) => prioritizationFee));
  } catch {
    return 0n;
  }
}

/** Lamports for so many compute units, rounded up as the chain does. */
export function priorityFee(price: bigint, units: number): bigint {
  return (price * BigInt(units) + MICRO - 1n) / MICRO;
}
