import * as Effect from "effect/Effect"
import { cifarFiles, cifarPart, type CifarSet } from "./cifar.ts"
import type { FilesOptions } from "./files.ts"
import type { Splits } from "./idx.ts"

/** the hundred classes, in the order of their numbers */
const fine = (
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle " +
  "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant " +
  "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree " +
  "motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate " +
  "poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider " +
  "squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle " +
  "wardrobe whale willow_tree wolf woman worm"
).split(" ")

/** the twenty superclasses */
const coarse = [
  "aquatic_mammals",
  "fish",
  "flowers",
  "food_containers",
  "fruit_and_vegetables",
  "household_electrical_devices",
  "household_furniture",
  "insects",
  "large_carnivores",
  "large_man-made_outdoor_things",
  "large_natural_outdoor_scenes",
  "large_omnivores_and_herbivores",
  "medium_mammals",
  "non-insect_invertebrates",
  "people",
  "reptiles",
  "small_mammals",
  "trees",
  "vehicles_1",
  "vehicles_2",
]

const set = (labels: "fine" | "coarse"): CifarSet => ({
  name: "CIFAR-100",
  cache: "cifar-100",
  mirror: "https://www.cs.toronto.edu/~kriz",
  archive: { file: "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8" },
  inside: "cifar-100-binary",
  files: { "train.bin": 50_000, "test.bin": 10_000 },
  labelBytes: 2,
  label: labels === "coarse" ? 0 : 1,
  classes: labels === "coarse" ? coarse : fine,
})

/**
 * CIFAR-100: 50,000 photographs to train on and 10,000 to test on, `[3, 32, 32]` from 0 to 1, in a hundred classes, or
 * with `labels: "coarse"` in their twenty superclasses.
 *
 * Is found, needs and fails as `cifar10`.
 *
 * @example
 * const { train, test } = yield* Data.cifar100({ labels: "coarse" })
 */
export const cifar100 = Effect.fnUntraced(function* (
  options: FilesOptions & { readonly labels?: "fine" | "coarse" | undefined } = {},
) {
  const own = set(options.labels ?? "fine")
  const paths = yield* cifarFiles(own, options)
  const splits: Splits<readonly [3, 32, 32]> = {
    train: yield* cifarPart(own, "train", ["train.bin"], paths),
    test: yield* cifarPart(own, "test", ["test.bin"], paths),
  }
  return splits
})
