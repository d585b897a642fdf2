/** The models that the command line knows by name. */
import * as Effect from "effect/Effect"
import { zoo } from "../models/zoo.ts"
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
