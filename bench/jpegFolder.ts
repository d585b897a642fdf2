/** A folder of JPEG files whose pictures are known by formula, whatever part of them is looked at. */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"

const [width, height, classes] = [500, 375, 16]

/** the blue of all pictures of a class, of 255 */
export const blueOf = (label: number): number => 8 + 15 * label

/**
 * Red rises evenly from left to right, green from top to bottom, blue is the class's; grain makes the files as large as those
 * of photographs.
 */
const picture = (label: number, seed: number): Buffer => {
  const pixels = Buffer.alloc(width * height * 3)
  let state = seed + 1
  const grain = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((state >>> 8) / 2 ** 24 - 0.5) * 24
  }
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 3) {
      const noise = grain()
      pixels[at] = Math.round(20 + (215 * x) / width + noise)
      pixels[at + 1] = Math.round(20 + (215 * y) / height + noise)
      pixels[at + 2] = Math.min(255, Math.max(0, Math.round(blueOf(label) + noise)))
    }
  return pixels
}

export const shapeText = `${width}×${height}`

/** makes so many files, in a folder for each class; `drop` removes them */
export const makeJpegs = async (
  count: number,
): Promise<{ readonly folder: string; readonly drop: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), "effect-nn-jpegs-"))
  for (let i = 0; i < count; i++) {
    const label = i % classes
    const of = join(folder, String(label).padStart(2, "0"))
    await mkdir(of, { recursive: true })
    const raw = { width, height, channels: 3 as const }
    await sharp(picture(label, i), { raw })
      .jpeg({ quality: 90 })
      .toFile(join(of, `${i}.jpg`))
  }
  return { folder, drop: () => rm(folder, { recursive: true, force: true }) }
}
