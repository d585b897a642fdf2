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

/** the first sentence among options that is not fulfilled */
export const firstRefusal = (
  name: string,
  wishes: ReadonlyArray<readonly [ok: boolean, says: string]>,
): string | undefined => {
  const broken = wishes.find(([ok]) => !ok)
  return broken === undefined ? undefined : `${name} needs ${broken[1]}`
}
