import * as Data from "effect/Data"
import { show } from "../../shapes/Shape.ts"

/** Why one prediction could not be made. */
export type PredictReason =
  | { readonly _tag: "WrongShape"; readonly found: ReadonlyArray<number>; readonly expected: ReadonlyArray<number> }
  | { readonly _tag: "Unreadable"; readonly detail: string }
  | { readonly _tag: "Undecodable"; readonly detail: string }
  /** a picture without anything that stands out from its background */
  | { readonly _tag: "Blank" }
  /** the model gave no probabilities for it */
  | { readonly _tag: "NotFinite" }
  /** the predictor's scope was closed first */
  | { readonly _tag: "Closed" }

/** total over the reasons, so that a new one without a sentence does not compile */
const sentences: {
  readonly [T in PredictReason["_tag"]]: (reason: Extract<PredictReason, { readonly _tag: T }>) => string
} = {
  WrongShape: (r) => `is ${show(r.found)} but the model takes ${show(r.expected)}; bring it to that size`,
  Unreadable: (r) => `cannot be read (${r.detail}); check its path and its permissions`,
  Undecodable: (r) =>
    `cannot be decoded as a picture (${r.detail}); give a PNG, JPEG, WebP, GIF, TIFF or SVG that is whole`,
  Blank: () =>
    "shows nothing that stands out from its background; give a picture of one digit, dark on light or light on dark",
  NotFinite: () =>
    "has no finite probabilities: look for values that are not finite in the picture or in the parameters",
  Closed: () => "was not predicted: the predictor's scope had been closed; predict inside the scope that made it",
}

const sentence = (reason: PredictReason): string =>
  // the tag picks the sentence made for it; the compiler cannot follow the correlation through the union
  (sentences[reason._tag] as (reason: PredictReason) => string)(reason)

/** A picture that cannot be predicted: which one, why, and what to do. */
export class PredictError extends Data.TaggedError("PredictError")<{
  /** the file, or what else the picture is called */
  readonly source: string
  readonly reason: PredictReason
}> {
  override get message(): string {
    return `${this.source} ${sentence(this.reason)}`
  }
}
