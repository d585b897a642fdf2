/** Digits as people write and photograph them: strokes drawn as SVG, on paper of many kinds. */
import sharp from "sharp"

/** each digit in two hands, as strokes in a box of 100 × 140 */
export const strokes: ReadonlyArray<ReadonlyArray<string>> = [
  [
    "M50 8 C15 8 8 45 10 75 C12 112 28 132 52 131 C80 130 92 100 90 68 C88 30 75 8 50 8 Z",
    "M58 12 C28 2 12 40 12 72 C12 108 30 134 55 130 C84 126 90 92 86 62 C82 34 72 16 52 10",
  ],
  ["M52 6 L50 134", "M26 34 L56 8 L52 134"],
  [
    "M14 38 C18 8 78 0 82 36 C84 64 34 98 12 128 L88 126",
    "M12 30 C30 4 74 4 76 34 C78 66 40 100 14 130 C40 118 60 122 92 130",
  ],
  [
    "M16 16 C48 -2 84 14 78 40 C74 58 54 64 40 66 C66 64 90 80 86 102 C80 134 30 138 12 118",
    "M14 10 L78 10 L42 56 C72 52 92 74 86 100 C80 132 34 138 10 120",
  ],
  ["M62 8 L10 92 L92 90 M68 50 L66 134", "M22 8 L16 70 L84 68 M76 10 L72 134"],
  [
    "M82 10 L26 12 L20 62 C44 46 84 52 86 88 C88 128 36 140 12 116",
    "M26 12 L22 60 C50 46 82 58 82 90 C82 126 40 138 14 122 M26 12 L84 8",
  ],
  [
    "M70 8 C34 30 14 66 14 98 C14 124 34 134 52 132 C76 130 88 108 82 88 C74 66 36 66 18 92",
    "M58 6 C30 40 16 78 20 104 C24 130 62 138 76 114 C88 90 64 72 44 78 C30 82 22 92 20 104",
  ],
  ["M12 14 L88 12 C66 50 50 90 42 134", "M14 18 L84 12 L46 132 M30 72 L76 70"],
  [
    "M52 64 C20 54 14 12 50 8 C86 8 82 52 52 64 C16 78 8 126 50 132 C92 130 88 80 52 64 Z",
    "M76 22 C58 2 20 10 24 36 C28 62 82 72 82 102 C82 136 22 138 20 106 C18 76 80 60 78 30 Z",
  ],
  [
    "M82 40 C76 8 22 4 18 40 C16 70 70 78 82 40 C82 78 76 108 62 134",
    "M80 34 C66 2 16 12 18 44 C20 72 74 66 80 34 L72 134",
  ],
]

export interface Paper {
  readonly ink: string
  readonly paper: string
  /** of a stroke, in a box of 100 × 140 */
  readonly width: number
  /** sides of the whole picture */
  readonly size: readonly [number, number]
  /** where the box's top left corner is, and how large it is drawn */
  readonly at: readonly [number, number]
  readonly scale: number
  readonly tilt: number
  /** a second colour that the paper turns to, from one corner to the other */
  readonly shadow?: string
  /** strength of random grain, of 255 */
  readonly noise?: number
}

export const papers: Readonly<Record<string, Paper>> = {
  "dark on white": { ink: "#111", paper: "#fff", width: 14, size: [280, 280], at: [90, 70], scale: 1, tilt: 0 },
  "light on black": { ink: "#eee", paper: "#050505", width: 13, size: [280, 280], at: [90, 70], scale: 1, tilt: 0 },
  "small in a corner": {
    ink: "#222",
    paper: "#f4f1e8",
    width: 13,
    size: [640, 480],
    at: [470, 300],
    scale: 0.9,
    tilt: 4,
  },
  "a thin pen": { ink: "#1b2a6b", paper: "#fdfdfb", width: 5, size: [400, 400], at: [120, 90], scale: 1.6, tilt: -3 },
  "a photograph with grain": {
    ink: "#39342e",
    paper: "#cfc8ba",
    width: 12,
    size: [500, 420],
    at: [190, 100],
    scale: 1.4,
    tilt: 5,
    noise: 22,
  },
  "half in shadow": {
    ink: "#2a2a30",
    paper: "#f2eee4",
    shadow: "#77736c",
    width: 13,
    size: [460, 460],
    at: [150, 110],
    scale: 1.5,
    tilt: -5,
    noise: 8,
  },
  "chalk in the dark": {
    ink: "#d9dccf",
    paper: "#3d5247",
    shadow: "#1c2823",
    width: 12,
    size: [420, 380],
    at: [110, 60],
    scale: 1.7,
    tilt: 3,
    noise: 12,
  },
}

/** numbers from −1 to 1, the same for the same seed */
const noiseOf = (seed: number) => {
  let s = seed >>> 0
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0
    return s / 2 ** 31 - 1
  }
}

/** the PNG of marks, drawn in a box of 100 × 140 */
export const draw = async (marks: string, paper: Paper, seed = 1): Promise<Uint8Array> => {
  const {
    ink,
    size: [width, height],
    at: [x, y],
    scale,
    tilt,
    shadow,
    noise = 0,
  } = paper
  const fill = shadow === undefined ? paper.paper : "url(#light)"
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="light" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="${paper.paper}"/><stop offset="1" stop-color="${shadow ?? paper.paper}"/>
    </linearGradient></defs>
    <rect width="100%" height="100%" fill="${fill}"/>
    <g transform="translate(${x} ${y}) scale(${scale}) rotate(${tilt} 50 70)" fill="none" stroke="${ink}"
      stroke-width="${paper.width}" stroke-linecap="round" stroke-linejoin="round">${marks}</g></svg>`
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const next = noiseOf(seed)
  for (let i = 0; i < data.length; i += info.channels) {
    const grain = noise * (next() + next())
    for (let c = 0; c < info.channels; c++) data[i + c] = Math.max(0, Math.min(255, data[i + c]! + grain))
  }
  const { width: w, height: h, channels } = info
  return sharp(data, { raw: { width: w, height: h, channels } })
    .png()
    .toBuffer()
}

/** the PNG of a digit by hand */
export const byHand = (digit: number, hand: number, paper: Paper): Promise<Uint8Array> =>
  draw(`<path d="${strokes[digit]?.[hand] ?? ""}"/>`, paper, 1 + digit + 10 * hand)

/** the PNG of a printed digit */
export const inFont = (digit: number, font: string, paper: Paper): Promise<Uint8Array> =>
  draw(
    `<text x="50" y="128" text-anchor="middle" font-family="${font}" font-size="170" fill="${paper.ink}" stroke="none">${digit}</text>`,
    paper,
    50 + digit,
  )
