/** What the indexer knows: `/api/`, as crates/indexer/src/api.rs answers it. */
import type { Address } from '@solana/kit';

/** Something that the program did. */
export interface HistoryEvent {
  signature: string;
  /** Its number among the events of its transaction, from 0. */
  index: number;
  /** Unix seconds, where the chain knows them. */
  time: number | null;
  /** Whether it stays: the chain may still drop a transaction that is not final. */
  final: boolean;
  /** The name of a struct in programs/keel/src/events.rs. */
  kind: string;
  /** Its fields; long numbers are decimal text. */
  data: Readonly<Record<string, unknown>>;
}

/** Events, the newest first. */
export interface EventPage {
  events: readonly HistoryEvent[];
  /** Where the older ones begin, if there are any. */
  next: string | null;
}

/** A reserve at a moment. Amounts in native units, the rest fractions of 60 bits. */
export interface HistoryPoint {
  /** Unix seconds. */
  time: number;
  /** Whether nobody looked for a while before. */
  hole: boolean;
  supplied: bigint;
  borrowed: bigint;
  utilization: bigint;
  supplyYield: bigint;
  borrowYield: bigint;
  maintenanceHaircut: bigint;
  targetHaircut: bigint;
  /** Dollars per native unit, 96 fractional bits; `null` when no price was good enough. */
  price: bigint | null;
}

export interface ReserveHistory {
  /** Unix seconds of what was asked for. */
  from: number;
  to: number;
  points: readonly HistoryPoint[];
}

/** Events of a vault, the newest first: those before `before`, or the newest. */
function fetchEvents(api: string, vault: Address, limit: number, before?: string): Promise<EventPage> {
  const place = before === undefined ? '' : `&before=${encodeURIComponent(before)}`;
  return ask<EventPage>(`${api}/vaults/${vault}/events?limit=${limit.toString()}${place}`);
}

/** What a reserve was like in the last `seconds` before `to`, in at most so many points. */
export async function fetchReserveHistory(
  api: string,
  reserve: Address,
  to: bigint,
  seconds: number,
  points: number,
): Promise<ReserveHistory> {
  const query = `from=${(to - BigInt(seconds)).toString()}&to=${to.toString()}&points=${points.toString()}`;
  const answer = await ask<{ from: number; to: number; points: RawPoint[] }>(
    `${api}/reserves/${reserve}/history?${query}`,
  );
  return { from: answer.from, to: answer.to, points: answer.points.map(readPoint) };
}

type RawPoint = { [K in keyof HistoryPoint]: HistoryPoint[K] extends bigint ? string : RawOptional<HistoryPoint[K]> };
type RawOptional<T> = T extends bigint ? string : T;

function readPoint(raw: RawPoint): HistoryPoint {
  return {
    time: raw.time,
    hole: raw.hole,
    supplied: BigInt(raw.supplied),
    borrowed: BigInt(raw.borrowed),
    utilization: BigInt(raw.utilization),
    supplyYield: BigInt(raw.supplyYield),
    borrowYield: BigInt(raw.borrowYield),
    maintenanceHaircut: BigInt(raw.maintenanceHaircut),
    targetHaircut: BigInt(raw.targetHaircut),
    price: raw.price === null ? null : BigInt(raw.price),
  };
}

/** A server that has not answered by then will not. */
const PATIENCE_MILLISECONDS = 10_000;

async function ask<T>(url: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  } catch {
    throw new Error('The server of the history does not answer.');
  }
  const answer = (await response.json().catch(() => ({ error: `status ${response.status.toString()}` }))) as T & {
    error?: string;
  };
  if (!response.ok) {
    throw new Error(`The server of the history refuses: ${answer.error ?? response.status.toString()}`);
  }
  return answer;
}

/** What tells an event from all others. */
export function keyOf({ signature, index }: HistoryEvent): string {
  return `${signature}/${index.toString()}`;
}

/** The newest events, and behind them what was loaded before, if nothing is missing in between. */
export function joined(newest: EventPage, known: EventPage | undefined): EventPage {
  const last = newest.events.at(-1);
  if (known === undefined || last === undefined || newest.next === null) {
    return newest;
  }
  const at = known.events.findIndex((event) => keyOf(event) === keyOf(last));
  const rest = known.events.slice(at + 1);
  return at === -1 || rest.length === 0 ? newest : { events: [...newest.events, ...rest], next: known.next };
}

/** What is known, and older events behind it, which may have been loaded before. */
export function continued(known: EventPage, more: EventPage): EventPage {
  const keys = new Set(known.events.map(keyOf));
  const older = more.events.filter((event) => !keys.has(keyOf(event)));
  return { events: [...known.events, ...older], next: more.next };
}

/** Events that one page at a time are asked for. */
const PAGE = 10;
/** Most that the server gives at once. */
const MOST = 200;

/** The events of a vault, as far as they were asked for. */
export class EventFeed {
  private known: EventPage | undefined;

  constructor(
    private readonly api: string,
    private readonly vault: Address,
  ) {}

  /** Asks for the newest. What is not final may have gone, and is asked for again. */
  async look(): Promise<EventPage> {
    const open = this.known?.events.findLastIndex((event) => !event.final) ?? -1;
    const newest = await fetchEvents(this.api, this.vault, Math.min(Math.max(PAGE, open + 2), MOST));
    this.known = joined(newest, this.known);
    return this.known;
  }

  /** Asks for older ones: the next `look` has them. */
  async older(): Promise<void> {
    const next = this.known?.next;
    if (next != null) {
      const more = await fetchEvents(this.api, this.vault, PAGE, next);
      // The newest may have changed meanwhile; what is behind `next` has not.
      this.known = this.known && continued(this.known, more);
    }
  }
}
