import * as Data from "effect/Data"

/** Why a run cannot be written down, or not be gone on with. */
export type CheckpointReason =
  /** the folder has none */
  | { readonly _tag: "Missing" }
  /** there are files, but none that could be used: why the newest could not */
  | { readonly _tag: "Unsound"; readonly files: number; readonly detail: string }
  | { readonly _tag: "Unreadable"; readonly detail: string }
  | { readonly _tag: "Unwritable"; readonly detail: string }
  /** a tensor of the run holds a number that is not finite */
  | { readonly _tag: "NotFinite"; readonly tensor: string; readonly totalSteps: number }
  /** it is of another run: what it was written with, and what this run has */
  | { readonly _tag: "Mismatch"; readonly what: string; readonly was: string; readonly is: string }

/** A checkpoint that cannot be written or used: which, why, and what to do. */
export class CheckpointError extends Data.TaggedError("CheckpointError")<{
  /** the file, or the folder where it is about all that lie in it */
  readonly path: string
  readonly reason: CheckpointReason
}> {
  override get message(): string {
    const { path, reason } = this
    switch (reason._tag) {
      case "Missing":
        return `there is no checkpoint in ${path}; name a folder that a run wrote its checkpoints to, or begin anew`
      case "Unsound":
        return (
          `none of the ${reason.files} checkpoints in ${path} can be used (the newest ${reason.detail}); ` +
          `remove them and begin anew, or put a sound one there`
        )
      case "Unreadable":
        return `the checkpoint ${path} cannot be read (${reason.detail}); check the folder and its permissions`
      case "Unwritable":
        return (
          `the checkpoint ${path} cannot be written (${reason.detail}); make room or name another folder, and resume: ` +
          `the checkpoints before it are untouched`
        )
      case "NotFinite":
        return (
          `the checkpoint ${path} is not written: after step ${reason.totalSteps} ${reason.tensor} holds numbers that are ` +
          `not finite; resume from the checkpoint before it, with a lower learning rate or clipped gradients`
        )
      case "Mismatch":
        return (
          `the checkpoint ${path} is of another run: its ${reason.what} is ${reason.was}, here it is ${reason.is}; ` +
          `give the same, or begin a new run with its parameters`
        )
    }
  }
}
