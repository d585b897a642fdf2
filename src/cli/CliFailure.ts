import * as Data from "effect/Data"

/** What a command was asked for that cannot be done: one sentence. */
export class CliFailure extends Data.TaggedError("CliFailure")<{ readonly sentence: string }> {
  override get message(): string {
    return this.sentence
  }
}
