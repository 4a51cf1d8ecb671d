/** A reserve's history as lines: for charts, and in words. */
import type { HistoryPoint } from '../chain/history';
import { unitsToDecimal } from '../fixed';

/** A line. */
export interface Series {
  name: string;
  pick: (point: HistoryPoint) => bigint | null;
  /** How its numbers become those of the axis: times `scale`, behind so many fractional bits. */
  digits: { fractional: 60 | 96; scale: bigint };
  /** As people read it. */
  show: (bits: bigint) => string;
}

/** Digits behind the point of what is drawn. */
const DRAWN = 6;

/** For pixels, and for nothing else. */
function drawn(bits: bigint | null, { fractional, scale }: Series['digits']): number | null {
  const units = bits === null ? null : (bits * scale * 10n ** BigInt(DRAWN)) >> BigInt(fractional);
  return units === null ? null : Number(unitsToDecimal(units, DRAWN));
}

/** Columns for uPlot: times, and the numbers of each line. Between two points with a hole there is one without numbers: lines are not drawn through it. */
export function columnsOf(
  points: readonly HistoryPoint[],
  series: readonly Series[],
): [number[], ...(number | null)[][]] {
  const times: number[] = [];
  const lines: (number | null)[][] = series.map(() => []);
  let last: HistoryPoint | undefined;
  for (const point of points) {
    if (point.hole && last !== undefined) {
      times.push((last.time + point.time) / 2);
      lines.forEach((line) => line.push(null));
    }
    times.push(point.time);
    lines.forEach((line, i) => {
      const one = series[i];
      line.push(one === undefined ? null : drawn(one.pick(point), one.digits));
    });
    last = point;
  }
  return [times, ...lines];
}

/** From what to what, in a sentence. */
export function summaryOf(title: string, series: readonly Series[], points: readonly HistoryPoint[]): string {
  const parts = series.map(({ name, pick, show }) => {
    const known = points.map(pick).filter((bits) => bits !== null);
    const [first, last] = [known.at(0), known.at(-1)];
    if (first === undefined || last === undefined) {
      return `${name}: no numbers`;
    }
    const least = known.reduce((a, b) => (b < a ? b : a));
    const most = known.reduce((a, b) => (b > a ? b : a));
    return `${name} from ${show(first)} to ${show(last)}, at least ${show(least)}, at most ${show(most)}`;
  });
  return `${title} over time. ${parts.join('. ')}.`;
}
