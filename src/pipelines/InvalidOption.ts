import * as Data from "effect/Data"

/** An option that cannot be meant, found before anything runs. */
export class InvalidOption extends Data.TaggedError("InvalidOption")<{
  /** the whole sentence: what was given, and what is possible */
  readonly sentence: string
}> {
  override get message(): string {
    return this.sentence
  }
}
