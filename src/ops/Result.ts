import type { Refusal } from "../shapes/Refusal.ts"
import type { Shape } from "../shapes/Shape.ts"

/** the shape that a rule gives, where it gives one */
export type Result<R> = R extends Shape ? R : never

/** what a parameter must be, or the sentence that says why the rule refuses it */
export type Checked<Name extends string, R, Parameter> =
  R extends Refusal<infer Sentence> ? `${Name}: ${Sentence}` : Parameter

/** the type of an option, or of its default where it is absent */
export type Option<O, Key extends string, Default> = O extends { readonly [K in Key]: infer V } ? V : Default
