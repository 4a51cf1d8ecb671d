/** Between before and after. */
export function Arrow() {
  return (
    <span role="img" aria-label="becomes">
      →
    </span>
  );
}
