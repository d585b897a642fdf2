import { Nn } from "effect-nn"
import { pixelShuffle } from "../src/ownLayer.js"

export const net = Nn.sequential(
  Nn.input("N", 6, 8, 8),
  pixelShuffle(2), //! pixelShuffle(2) cannot follow: it expects a multiple of 4 channels but the input gives 6
)
