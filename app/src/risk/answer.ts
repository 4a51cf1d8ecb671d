/** What the previews answer, as crates/risk-wasm/src/answer.rs writes it. */

/** The program would refuse, with this error code: `getKeelErrorMessage` of the generated client says why. */
export interface Refused {
  refused: number;
}

/** The sums of a vault. Dollars and health are fractions of 60 bits; see `fixed.ts`. */
export interface Totals {
  /** What all collateral is worth. */
  collateral: bigint;
  /** What may be owed against it. */
  limit: bigint;
  /** What is owed. */
  debt: bigint;
  /** `limit / debt`; `null` without debt. */
  health: bigint | null;
  healthy: boolean;
}

/** The sums for one purpose. */
export interface Valuation extends Totals {
  /** Why a collateral counted as zero for new risk, if one did: an error code. */
  discarded: number | null;
}

/** One position, at the prices of liquidation. */
export interface Position {
  /** The number of its reserve in the snapshot. */
  reserve: number;
  side: 'collateral' | 'debt';
  /** Native units now. */
  amount: bigint;
  /** Dollars per native unit, 96 fractional bits. */
  price: bigint;
  /** Dollars. */
  value: bigint;
  /** What a dollar of it carries; 0 for a debt. */
  factor: bigint;
  /**
   * The price at which the vault is just healthy while others stand still: liquidation begins below it (collateral) or
   * above it (debt). `null` when this price does not matter to that.
   */
  criticalPrice: bigint | null;
}

/** A vault. */
export interface VaultView {
  /** Its efficiency group, or 0. */
  group: number;
  /** Whether the group's weights count. */
  grouped: boolean;
  insolvent: boolean;
  /** What counts when something is borrowed or taken out. */
  newRisk: Valuation | Refused;
  /** What counts in a liquidation. */
  liquidation: Valuation | Refused;
  /** Empty when `liquidation` is refused: there are no prices. */
  positions: Position[];
}

/** What an action would come to. */
export interface Preview {
  /** Native units that would move. */
  amount: bigint;
  /** Why the program refuses all the same, or `null`: an error code. */
  refusal: number | null;
  /** The vault afterwards. */
  after: VaultView;
}

/** The largest amount that the program accepts. */
export interface Largest {
  amount: bigint;
  /** Why it refuses one more: an error code. */
  reason: number | null;
}

/** A reserve. Amounts in native units, the rest fractions of 60 bits. */
export interface ReserveView {
  decimals: number;
  minted: boolean;
  available: bigint;
  supplied: bigint;
  insured: bigint;
  borrowed: bigint;
  utilization: bigint;
  /** Yearly, without compounding. */
  borrowRate: bigint;
  /** What a debt grows by in a year at that rate. */
  borrowYield: bigint;
  /** What a supply grows by in a year at that rate and use. */
  supplyYield: bigint;
  initialHaircut: bigint;
  maintenanceHaircut: bigint;
  targetHaircut: bigint;
  /** What a dollar of it carries for new risk. */
  newRiskFactor: bigint;
  /** The same in a liquidation. */
  liquidationFactor: bigint;
  liquidationThreshold: bigint;
  /** Dollars per native unit, 96 fractional bits. */
  prices: {
    collateralNewRisk: bigint | Refused;
    debtNewRisk: bigint | Refused;
    collateralLiquidation: bigint | Refused;
    debtLiquidation: bigint | Refused;
  };
  /** What its price accounts say, in the order of the feeds. */
  feeds: (Feed | Refused)[];
}

/** What a price account says. Prices are dollars per native unit, 96 fractional bits. */
export interface Feed {
  price: bigint;
  /** Half the width of the confidence interval. */
  confidence: bigint;
  /** Seconds since it was published. */
  age: bigint;
}

/** A remaining account of an instruction; the address as hexadecimal digits. */
export interface RawMeta {
  address: string;
  writable: boolean;
}

/** A request that makes no sense: a mistake of the caller's. */
interface Invalid {
  invalid: string;
  expected?: string;
}

/** Reads an answer: numbers that JSON cannot hold are text behind `0x`. */
export function readAnswer(text: string): unknown {
  const answer: unknown = JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith('0x') ? BigInt(value) : value,
  );
  if (isInvalid(answer)) {
    throw new TypeError(
      answer.expected === undefined ? answer.invalid : `${answer.invalid}: one of them is no ${answer.expected}`,
    );
  }
  return answer;
}

function isInvalid(answer: unknown): answer is Invalid {
  return typeof answer === 'object' && answer !== null && 'invalid' in answer;
}

/** Whether the program would refuse. */
export function isRefused(answer: object | bigint): answer is Refused {
  return typeof answer === 'object' && 'refused' in answer;
}
