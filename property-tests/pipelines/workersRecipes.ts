/** Recipes that workers open: a folder of pictures, and sets whose reading fails or counts. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Data from "../../src/pipelines/Data.ts"
import { DataError } from "../../src/pipelines/DataError.ts"
import * as Transforms from "../../src/pipelines/Transforms.ts"

const augment = Transforms.compose(
  Transforms.randomCrop([6, 5]),
  Transforms.randomHorizontalFlip(),
  Transforms.normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]),
)
export const photos = Data.recipe(import.meta.url, "photos", (folder: string) =>
  Data.imageFolder(folder).pipe(
    Effect.map((set) => set.pipe(Data.map(Transforms.resize([9, 8])), Data.map(augment))),
    Effect.provide(NodeServices.layer),
  ),
)
/** the same without a size that all have */
export const unsized = Data.recipe(import.meta.url, "unsized", (folder: string) =>
  Effect.provide(Data.imageFolder(folder), NodeServices.layer),
)

/** what happens at sample 5 of 20; `words` counts the samples under way, at most so many, and reads begun */
export const odd = Data.recipe(
  import.meta.url,
  "odd",
  (what: "nothing" | "throw" | "fail" | "exit" | "keep" | "wait", words: Int32Array) =>
    Effect.sync(() => {
      const kept = new Float32Array(1)
      return Data.make({
        name: "odd",
        shape: [1],
        classes: ["one"],
        length: 20,
        read: (samples) =>
          Effect.gen(function* () {
            const now = Atomics.add(words, 0, samples.length) + samples.length
            Atomics.add(words, 2, 1)
            for (let most = Atomics.load(words, 1); now > most; most = Atomics.load(words, 1)) {
              Atomics.compareExchange(words, 1, most, now)
            }
            yield* Effect.sleep(what === "wait" ? 60_000 : 5)
            Atomics.sub(words, 0, samples.length)
            if (samples.includes(5) && what === "throw") throw new Error("no such picture")
            if (samples.includes(5) && what === "exit") process.exit(3)
            if (samples.includes(5) && what === "fail") {
              return yield* new DataError({ source: "odd", reason: { _tag: "Undecodable", detail: "spoilt" } })
            }
            const images = what === "keep" ? kept : Float32Array.from(samples)
            return { images, labels: new Float32Array(samples.length) }
          }),
      })
    }),
)
let opened = 0
/** another length in each thread that opens it a second time, or in another thread than the first */
export const unequal = Data.recipe(import.meta.url, "unequal", (threads: Int32Array) =>
  Effect.sync(() => {
    opened++
    const length = opened + Atomics.add(threads, 0, 1)
    return Data.make({
      name: "unequal",
      shape: [1],
      classes: ["one"],
      length,
      read: () => Effect.die(new Error("never read")),
    })
  }),
)
/** its name is not that of its export */
export const misnamed = Data.recipe(import.meta.url, "wrongName", (_given: unknown) =>
  Data.fromArrays({ shape: [1], images: new Float32Array(3), labels: [0, 0, 0], classes: 1 }),
)
