/** a number of the normal distribution with mean 0 and deviation 1, from two uniform ones (Box and Muller) */
export const normal = (uniform: (i: number) => number, i: number): number =>
  // 1 - u is never 0
  Math.sqrt(-2 * Math.log(1 - uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1))
