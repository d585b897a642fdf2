/** What can be wrong with data: one error, a reason for each way, and a message that says what to do. */
import * as Data from "effect/Data"

/** Why a source of samples could not be used. Offsets are bytes from the start of the (unpacked) file. */
export type DataReason =
  /** no file of that name in any of the folders that were searched */
  | { readonly _tag: "NotFound"; readonly searched: ReadonlyArray<string>; readonly advice: string }
  /** the operating system refused to read it */
  | { readonly _tag: "Unreadable"; readonly detail: string }
  /** it starts as gzip does, and is none */
  | { readonly _tag: "BadGzip"; readonly detail: string }
  /** an IDX file starts with two zero bytes, the element type and the number of dimensions */
  | { readonly _tag: "BadMagic"; readonly found: ReadonlyArray<number> }
  | { readonly _tag: "BadElementType"; readonly found: number; readonly expected: string }
  | { readonly _tag: "BadRank"; readonly found: number; readonly expected: string }
  /** a dimension that makes no sense, or not the one this data set has */
  | {
      readonly _tag: "BadSize"
      readonly dimension: number
      readonly found: number
      readonly expected: string
      readonly offset: number
    }
  | { readonly _tag: "Truncated"; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly _tag: "TrailingBytes"; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly _tag: "LabelOutOfRange"; readonly index: number; readonly label: number; readonly classes: number }
  | {
      readonly _tag: "CountMismatch"
      readonly images: number
      readonly labels: number
      readonly labelsFile: string
    }
  /** an option that cannot be meant: a batch of zero, a subset beyond the end */
  | { readonly _tag: "BadOption"; readonly option: string; readonly found: unknown; readonly expected: string }

const again = "fetch the file again, or name another folder"

/** total over the reasons, so that a new one without a sentence does not compile */
const sentences: {
  readonly [T in DataReason["_tag"]]: (reason: Extract<DataReason, { readonly _tag: T }>) => string
} = {
  NotFound: (r) => `not found in ${r.searched.join(", ")}; ${r.advice}`,
  Unreadable: (r) => `cannot be read (${r.detail}); check its permissions and its path`,
  BadGzip: (r) => `starts as gzip does but cannot be unpacked (${r.detail}); ${again}`,
  BadMagic: (r) =>
    `is no IDX file: it starts with bytes ${r.found.map((b) => b.toString(16).padStart(2, "0")).join(" ")} ` +
    `instead of 00 00, an element type and a number of dimensions; ${again}`,
  BadElementType: (r) =>
    `has elements of type 0x${r.found.toString(16).padStart(2, "0")} at byte 2, expected ${r.expected}; ` +
    `is it the right file of the set?`,
  BadRank: (r) => `has ${r.found} dimensions at byte 3, expected ${r.expected}; are images and labels mixed up?`,
  BadSize: (r) =>
    `says dimension ${r.dimension} is ${r.found} at byte ${r.offset}, expected ${r.expected}; ` +
    `is it the right file of the set?`,
  Truncated: (r) =>
    `ends after ${r.actualBytes} bytes, but its header promises ${r.expectedBytes}: it was cut short; ${again}`,
  TrailingBytes: (r) =>
    `has ${r.actualBytes} bytes, ${r.actualBytes - r.expectedBytes} more than the ${r.expectedBytes} ` +
    `its header promises; ${again}`,
  LabelOutOfRange: (r) =>
    `has label ${r.label} for sample ${r.index}, but there are ${r.classes} classes (0 to ${r.classes - 1}); ` +
    `give the number of classes, or mend the label`,
  CountMismatch: (r) =>
    `has ${r.images} images but ${r.labelsFile} has ${r.labels} labels; take both from the same set`,
  BadOption: (r) => `was given ${r.option} = ${String(r.found)}, expected ${r.expected}`,
}

const sentence = <T extends DataReason["_tag"]>(reason: Extract<DataReason, { readonly _tag: T }>): string =>
  // the tag picks the sentence made for it; the compiler cannot follow the correlation through the union
  (sentences[reason._tag] as (reason: DataReason) => string)(reason)

/**
 * A source of samples that cannot be used: which file (or source), why, and what to do.
 *
 * `Effect.catchReason("DataError", "NotFound", …)` handles one of the ways.
 */
export class DataError extends Data.TaggedError("DataError")<{
  /** the file, or the name of a source that is no file */
  readonly source: string
  readonly reason: DataReason
}> {
  override get message(): string {
    return `${this.source} ${sentence(this.reason)}`
  }
}
