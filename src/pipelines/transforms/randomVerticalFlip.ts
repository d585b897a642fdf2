import { flip } from "./flips.ts"
import type { ImageRule, Transform } from "./Transform.ts"

/**
 * Top and bottom exchanged, with probability `p` (a half unless told).
 *
 * **Shapes** `[C, H, W] → [C, H, W]`. torchvision's `RandomVerticalFlip`.
 */
export const randomVerticalFlip = (p = 0.5): Transform<ImageRule> => flip("randomVerticalFlip", p, "rows")
