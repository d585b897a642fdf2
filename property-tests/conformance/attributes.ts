/** The attributes of a case: which an op understands, and with which values. */
import type { Attributes } from "./Cases.ts"

/** whether a value of a case is one that the op takes */
export interface Kind<A> {
  readonly is: (u: unknown) => u is A
  /** PyTorch's `None`, which means the same as not given */
  readonly nullable: boolean
}
export type Kinds = { readonly [name: string]: Kind<unknown> }

/** the attributes of a case once they are known to be understood */
export type Given<K> = { readonly [N in keyof K]?: K[N] extends Kind<infer A> ? A : never }

const kind = <A>(is: (u: unknown) => u is A): Kind<A> => ({ is, nullable: false })

export const float = kind((u): u is number => typeof u === "number")
export const int = kind((u): u is number => Number.isInteger(u))
export const bool = kind((u): u is boolean => typeof u === "boolean")
/** whole numbers, such as dimensions */
export const ints = kind((u): u is ReadonlyArray<number> => Array.isArray(u) && u.every((n) => Number.isInteger(n)))
const isPair = (u: unknown, of: (n: unknown) => boolean): u is readonly [number, number] =>
  Array.isArray(u) && u.length === 2 && u.every(of)
export type Pair = number | readonly [number, number]
/** whole numbers for height and width, or one for both */
export const pair = kind((u): u is Pair => Number.isInteger(u) || isPair(u, Number.isInteger))
/** numbers for height and width, or one for both */
export const floats = kind((u): u is Pair => typeof u === "number" || isPair(u, (n) => typeof n === "number"))
/** two numbers */
export const two = kind((u): u is readonly [number, number] => isPair(u, (n) => typeof n === "number"))
/** a size for height and width each, or `null` for the input's own; or one for both */
export const outputSize = kind(
  (u): u is number | readonly [number | null, number | null] =>
    Number.isInteger(u) || isPair(u, (n) => n === null || Number.isInteger(n)),
)
/** one of the values given */
export const oneOf = <const V extends string | number | boolean>(...values: ReadonlyArray<V>): Kind<V> =>
  kind((u): u is V => values.some((v) => v === u))
export const or = <A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> => kind((u): u is A | B => a.is(u) || b.is(u))
/** PyTorch's `None` where it means something of its own */
export const none = kind((u): u is null => u === null)
/** may be null, as if it were not given */
export const orNull = <A>(of: Kind<A>): Kind<A> => ({ ...of, nullable: true })

/** The attributes as the op takes them, or what of them it does not understand. */
export const understood = <K extends Kinds>(
  kinds: K,
  attributes: Attributes,
): { readonly given: Given<K> } | { readonly unknown: string } => {
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(attributes)) {
    const known = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (known === undefined) return { unknown: `the attribute ${name}` }
    if (value === null && known.nullable) continue
    if (!known.is(value)) return { unknown: `${name} = ${JSON.stringify(value)}` }
    given[name] = value
  }
  // each value is of its kind
  return { given: given as Given<K> }
}
