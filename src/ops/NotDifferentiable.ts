import * as Data from "effect/Data"

/** A gradient was asked for through an op that has none. */
export class NotDifferentiable extends Data.TaggedError("NotDifferentiable")<{
  readonly op: string
  readonly why: string
}> {
  override get message(): string {
    return `${this.op} has no gradient: ${this.why}; stop the gradient before it with Ops.detach, or leave it out of what is differentiated`
  }
}
