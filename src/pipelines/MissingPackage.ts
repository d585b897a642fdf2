import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** An optional package that something needs is not installed, or does not run here. */
export class MissingPackage extends Data.TaggedError("MissingPackage")<{
  readonly packages: ReadonlyArray<string>
  /** what cannot be done without: `to decode pictures` */
  readonly purpose: string
  readonly detail: string
}> {
  override get message(): string {
    const names = this.packages.join(" and ")
    const [verb, it] = this.packages.length === 1 ? ["is", "it"] : ["are", "them"]
    return `${names} ${verb} needed ${this.purpose} (${this.detail}); install ${it} with: npm install ${this.packages.join(" ")}`
  }
}

/**
 * An optional package, loaded when it is first needed. What it exports is the caller's to say. Fails with
 * `MissingPackage`.
 */
export const optionalPackage = <A>(name: string, purpose: string): Effect.Effect<A, MissingPackage> =>
  Effect.tryPromise({
    // the name is in a variable, so that no bundler looks for the package
    try: () => import(/* @vite-ignore */ /* webpackIgnore: true */ name) as Promise<A>,
    catch: (cause) => {
      const isAbsent = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND"
      const told = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause)
      return new MissingPackage({ packages: [name], purpose, detail: isAbsent ? "it is not installed" : told })
    },
  })
