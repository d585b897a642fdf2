import * as Data from "effect/Data"

/** A file of a run could not be written. */
export class OutputError extends Data.TaggedError("OutputError")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} cannot be written (${this.reason}); check the folder, its permissions and the free space`
  }
}
