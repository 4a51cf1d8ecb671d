import { fractionToPercent } from '../fixed';

/** A bar for a part of a whole. The number stands beside it: for screen readers it is decoration. */
export function Meter({ part, danger = false }: { part: bigint; danger?: boolean }) {
  // A width of a bar, in whole percent.
  const width = Math.min(100, Number(fractionToPercent(part, 0, 'ceil')));
  return (
    <span className="meter" aria-hidden="true">
      <span className={danger ? 'meter-fill danger' : 'meter-fill'} style={{ width: `${width.toString()}%` }} />
    </span>
  );
}
