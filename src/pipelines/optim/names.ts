/** Parameters by name, for what treats some of them in another way. */

/**
 * Which parameters are meant, by their names in the state_dict: a name, or all below one (`"features"` means
 * `features.0.weight` too); a pattern; a question; or any of several.
 */
export type Names = string | RegExp | ((name: string) => boolean) | ReadonlyArray<Names>

/** whether a name is meant */
export const matches = (names: Names, name: string): boolean => {
  if (typeof names === "string") return name === names || name.startsWith(`${names}.`)
  if (names instanceof RegExp) return name.search(names) >= 0
  if (typeof names === "function") return names(name)
  return names.some((n) => matches(n, name))
}

const show = (names: Names): string => (typeof names === "function" ? "its function" : String(names))

/** the refusal of names that mean none of those there are, each by itself: a mistake in writing */
export const unmatched = (who: string, names: Names, all: ReadonlyArray<string>): string | undefined => {
  const parts: ReadonlyArray<Names> = Array.isArray(names) ? names : [names]
  const empty = parts.find((part) => !all.some((name) => matches(part, name)))
  return empty === undefined ? undefined : `${who}: ${show(empty)} means no parameter; there are ${all.join(", ")}`
}
