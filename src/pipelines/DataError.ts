/** What can be wrong with data: one error, a reason for each way, and a message that says what to do. */
import * as Data from "effect/Data"

/** Why a source of samples could not be used. Offsets are bytes from the start of the (unpacked) file. */
export type DataReason =
  /** no file of that name in any of the folders that were searched */
  | { readonly _tag: "NotFound"; readonly searched: ReadonlyArray<string>; readonly advice: string }
  /** the operating system refused to read it */
  | { readonly _tag: "Unreadable"; readonly detail: string }
  /** the server does not have it, or does not give it */
  | { readonly _tag: "HttpStatus"; readonly url: string; readonly status: number }
  /** no connection to the server comes about */
  | { readonly _tag: "Offline"; readonly url: string; readonly detail: string }
  /** the connection broke off again and again */
  | {
      readonly _tag: "Interrupted"
      readonly url: string
      readonly receivedBytes: number
      readonly expectedBytes: number | undefined
    }
  | { readonly _tag: "ChecksumMismatch"; readonly url: string; readonly expected: string; readonly actual: string }
  | { readonly _tag: "DiskFull" }
  | { readonly _tag: "Unwritable"; readonly detail: string }
  /** an archive that is none, or lacks a file */
  | { readonly _tag: "BadArchive"; readonly detail: string }
  /** a picture in a format that is not known, or whose bytes are spoilt */
  | { readonly _tag: "Undecodable"; readonly detail: string }
  /** an optional package that is not installed */
  | { readonly _tag: "MissingPackage"; readonly package: string; readonly detail: string }
  /** a worker that ended, or whose module does not do what it should */
  | { readonly _tag: "WorkerFailed"; readonly detail: string }
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
  /** pictures of different sizes make no batch */
  | { readonly _tag: "UnknownSize"; readonly shape: string }
  /** what a transform does not take */
  | { readonly _tag: "Unfit"; readonly transform: string; readonly sentence: string }
  /** an operator that needs the class of every sample, on a set that does not say it */
  | { readonly _tag: "NoLabels"; readonly operator: string }
  /** an option that cannot be meant: a batch of zero, a subset beyond the end */
  | { readonly _tag: "BadOption"; readonly option: string; readonly found: unknown; readonly expected: string }

const byHand = "or fetch it by hand into a folder and name that folder"
const again = "fetch the file again, or name another folder"

/** total over the reasons, so that a new one without a sentence does not compile */
const sentences: {
  readonly [T in DataReason["_tag"]]: (reason: Extract<DataReason, { readonly _tag: T }>) => string
} = {
  NotFound: (r) => `not found in ${r.searched.join(", ")}; ${r.advice}`,
  Unreadable: (r) => `cannot be read (${r.detail}); check its permissions and its path`,
  HttpStatus: (r) => `could not be downloaded: ${r.url} answers with status ${r.status}; try again later, ${byHand}`,
  Offline: (r) => `could not be downloaded: no connection to ${r.url} (${r.detail}); check the network, ${byHand}`,
  Interrupted: (r) =>
    `could not be downloaded: the transfer from ${r.url} broke off at ${r.receivedBytes} of ` +
    `${r.expectedBytes ?? "unknown"} bytes; try again and it goes on from there, ${byHand}`,
  ChecksumMismatch: (r) =>
    `was downloaded from ${r.url} with MD5 ${r.actual} instead of ${r.expected}, and thrown away; ` +
    `the server has another file, or something on the way changes it: try again later, ${byHand}`,
  DiskFull: () => `could not be written: the disk is full; make room, or set XDG_CACHE_HOME to a folder on another one`,
  Unwritable: (r) =>
    `could not be written (${r.detail}); check the folder's permissions, or set XDG_CACHE_HOME to another folder`,
  BadArchive: (r) => `cannot be unpacked (${r.detail}); delete it, and it is fetched again`,
  Undecodable: (r) => `is no picture that can be decoded (${r.detail}); replace it, or take it out of the folder`,
  MissingPackage: (r) => `needs the package ${r.package} (${r.detail}); install it with: npm install ${r.package}`,
  WorkerFailed: (r) =>
    `was given up: a worker failed (${r.detail}); mend the recipe's module, or read it with 0 workers`,
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
  UnknownSize: (r) =>
    `has pictures of ${r.shape}, each of a size of its own: bring them to one size with resize or a crop before batch`,
  Unfit: (r) => `does not fit ${r.transform}: it ${r.sentence}`,
  NoLabels: (r) => `does not say the class of each sample, which ${r.operator} asks: give labels to Data.make`,
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
