/** What the command line knows by name: models and data sets. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { zoo } from "../models/zoo.ts"
import * as Data from "../pipelines/Data.ts"
import type { DataError } from "../pipelines/DataError.ts"
import type { Model } from "../pipelines/Train.ts"
import { CliFailure } from "./CliFailure.ts"

export const modelNames: ReadonlyArray<string> = Object.keys(zoo)

/** the model of that name, or the sentence that lists those there are */
export const findModel = (name: string): Effect.Effect<Model, CliFailure> => {
  const model = Object.hasOwn(zoo, name) ? zoo[name] : undefined
  return model === undefined
    ? new CliFailure({ sentence: `there is no model ${name}; the models are ${modelNames.join(", ")}` })
    : Effect.succeed(model())
}

export const dataNames = ["mnist", "synthetic"] as const
export type DataName = (typeof dataNames)[number]

export type Splits = Data.Splits<ReadonlyArray<number>>

/** the data set of that name; the synthetic one is made for the model */
export const findData = (
  name: DataName,
  options: { readonly model: Model; readonly folder: string | undefined; readonly seed: number },
): Effect.Effect<Splits, DataError, FileSystem.FileSystem | Path.Path> => {
  const { model, folder, seed } = options
  switch (name) {
    case "mnist":
      return Data.mnist({ folder })
    case "synthetic": {
      const [channels = 1, height = 1, width = 1] = model.in.slice(1).map(Number)
      return Data.synthetic({ seed, shape: [channels, height, width], classes: Number(model.out.at(-1)) })
    }
  }
}
