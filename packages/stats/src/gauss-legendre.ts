/** A point and how much a function counts there. */
export interface QuadraturePoint {
  readonly at: number;
  readonly weight: number;
}

/**
 * The points and weights of Gauss–Legendre quadrature on [-1, 1]: exact for polynomials of degree
 * `2·order − 1`. Roots of the Legendre polynomial by Newton's method, from Tricomi's estimate.
 */
export function gaussLegendre(order: number): QuadraturePoint[] {
  return Array.from({ length: order }, (_, index) => {
    let at = Math.cos((Math.PI * (index + 0.75)) / (order + 0.5));
    let slope = 0;
    // Doubles the digits each time; five would do.
    for (let round = 0; round < 8; round++) {
      let [before, value] = [0, 1];
      for (let degree = 1; degree <= order; degree++) {
        [before, value] = [value, ((2 * degree - 1) * at * value - (degree - 1) * before) / degree];
      }
      slope = (order * (at * value - before)) / (at * at - 1);
      at -= value / slope;
    }
    return { at, weight: 2 / ((1 - at * at) * slope * slope) };
  });
}
