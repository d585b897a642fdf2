/** Augmented photographs, for worker threads: each of them imports this module, which does nothing else. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Data from "../src/pipelines/Data.ts"
import * as Transforms from "../src/pipelines/Transforms.ts"

export const side = 224
// ImageNet's
export const [mean, deviation] = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
]

export const photos = Data.recipe(import.meta.url, "photos", (folder: string) =>
  Data.imageFolder(folder).pipe(
    Effect.map((files) =>
      files.pipe(
        Data.map(Transforms.randomResizedCrop(side)),
        Data.map(Transforms.randomHorizontalFlip()),
        Data.map(Transforms.normalize(mean, deviation)),
      ),
    ),
    Effect.provide(NodeServices.layer),
  ),
)
