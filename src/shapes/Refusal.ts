/**
 * What a rule gives instead of a shape: a sentence's predicate ("expects 3 input channels but the input gives 4"), so
 * that a layer can put its label before it and an op its name. One type is both: at type level the sentence is a literal.
 */
export interface Refusal<Sentence extends string = string, Path extends string = string> {
  readonly _tag: "Refusal"
  readonly sentence: Sentence
  /** where inside the thing that was asked ("layer3.fc1"); empty for the thing itself */
  readonly path: Path
}
export type Refuse<Sentence extends string> = Refusal<Sentence, "">

/** A refusal with its sentence. */
export const refuse = <const Sentence extends string>(sentence: Sentence): Refuse<Sentence> => ({
  _tag: "Refusal",
  sentence,
  path: "",
})

export const isRefusal = (u: unknown): u is Refusal =>
  typeof u === "object" && u !== null && "_tag" in u && u._tag === "Refusal"
