/** A round step (1, 2 or 5 and zeros) that divides 0 to `top` into at most four parts. At least 1, for counts are whole. */
function roundStep(top: number): number {
  const rough = Math.max(1, top / 4)
  const ten = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((times) => times * ten).find((step) => step >= rough) ?? ten
}

/** Round values from 0 to at most `top`, three to five where it is large enough. */
export function ticks(top: number): readonly number[] {
  const step = roundStep(top)
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, at) => at * step)
}

/** The largest of 1, 2 and 5 and zeros that is no more than `top`; 0 below 1. */
export function roundBelow(top: number): number {
  if (top < 1) return 0
  const ten = 10 ** Math.floor(Math.log10(top))
  return [5, 2, 1].map((times) => times * ten).find((value) => value <= top) ?? ten
}
