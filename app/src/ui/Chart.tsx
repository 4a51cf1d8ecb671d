/** A chart of a reserve's history: uPlot draws it, words and the table beside it say the same. */
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ReserveHistory } from '../chain/history';
import { columnsOf, summaryOf, type Series } from './series';

const HEIGHT = 200;

export function Chart({
  title,
  series,
  history,
  failed,
}: {
  title: string;
  series: readonly Series[];
  history: ReserveHistory | undefined;
  /** Whether there is none because it could not be had. */
  failed: boolean;
}) {
  const id = useId();
  const [at, setAt] = useState<number>();
  const points = history?.points;
  // Where the pointer is, or the newest.
  const shown = points?.find((point) => point.time === at) ?? points?.at(-1);
  return (
    <figure className="card chart" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        <ul className="legend">
          {series.map(({ name, pick, show }, i) => {
            const bits = shown === undefined ? null : pick(shown);
            return (
              <li key={name}>
                <span className={`key line-${i.toString()}`} aria-hidden="true" />
                {name} <strong>{bits === null ? '—' : show(bits)}</strong>
              </li>
            );
          })}
        </ul>
      </figcaption>
      {history === undefined || history.points.length === 0 ? (
        <p className="plot-empty">
          {history !== undefined ? 'Nobody has looked yet.' : failed ? 'Not available.' : 'Loading…'}
        </p>
      ) : (
        <Plot title={title} series={series} history={history} onPoint={setAt} />
      )}
    </figure>
  );
}

function Plot({
  title,
  series,
  history,
  onPoint,
}: {
  title: string;
  series: readonly Series[];
  history: ReserveHistory;
  onPoint: (time: number | undefined) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const dark = useDark();
  const data = useMemo(() => columnsOf(history.points, series), [history, series]);
  const newest = useRef({ data, from: history.from, to: history.to });
  useEffect(() => {
    newest.current = { data, from: history.from, to: history.to };
    plot.current?.setData(data);
  }, [data, history]);

  useEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    const made = new UPlot(optionsOf(element, series, newest, onPoint), newest.current.data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // Colors are read when it is made: another scheme makes another one.
  }, [series, onPoint, dark]);
  return <div ref={box} className="plot" role="img" aria-label={summaryOf(title, series, history.points)} />;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const TWO_DAYS = 172_800;

function optionsOf(
  element: HTMLElement,
  series: readonly Series[],
  newest: { current: { from: number; to: number } },
  onPoint: (time: number | undefined) => void,
): UPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const lines = ['--accent', '--fair'].map(color);
  const font = `12px ${style.fontFamily}`;
  const axis = { stroke: color('--soft'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false }, font };
  const isMoney = series.some(({ digits }) => digits.fractional === 96);
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { range: () => [newest.current.from, newest.current.to] },
      y: { range: (_, least, most) => padded(least, most, isMoney) },
    },
    axes: [
      {
        ...axis,
        space: 64,
        size: 28,
        values: (_, ticks) =>
          ticks.map((tick) => {
            const isLong = newest.current.to - newest.current.from > TWO_DAYS;
            return (isLong ? DAY : CLOCK).format(new Date(tick * 1_000));
          }),
      },
      {
        ...axis,
        size: 64,
        values: (_, ticks) => ticks.map((tick) => (isMoney ? `$${label(tick)}` : `${label(tick)} %`)),
      },
    ],
    series: [
      {},
      ...series.map((_, i): UPlot.Series => ({
        stroke: lines[i % lines.length] ?? '',
        width: 2,
        // Not by color alone.
        ...(i === 1 ? { dash: [6, 4] } : {}),
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const { idx } = plot.cursor;
          onPoint(idx == null ? undefined : plot.data[0][idx]);
        },
      ],
    },
  };
}

const LABEL = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 7 });

function label(tick: number): string {
  return LABEL.format(tick);
}

/** A line that stands still is in the middle, and its last digits fill no chart. */
function padded(least: number | null, most: number | null, isMoney: boolean): [number, number] {
  const [low, high] = [least ?? 0, most ?? 1];
  const padding = Math.max((high - low) * 0.1, isMoney ? high * 0.005 : 0.25);
  return [Math.max(0, low - padding), high + padding];
}

function useDark(): boolean {
  const [dark, setDark] = useState(() => window.matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    const changed = () => {
      setDark(query.matches);
    };
    query.addEventListener('change', changed);
    return () => {
      query.removeEventListener('change', changed);
    };
  }, []);
  return dark;
}
