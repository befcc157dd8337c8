/** How a text is set: its size in the units of the drawing, and whether it is bold. */
export interface Setting {
  readonly size: number
  readonly bold: boolean
}

/** Units of the advances below to one em. */
const EM = 2_048

/** Advances of U+0020 to U+007E as the fonts in `fonts/` have them; a test compares. */
const REGULAR = [
  576, 589, 954, 1297, 1314, 2011, 1319, 614, 747, 747, 1026, 1355, 590, 942, 590, 738, 1292, 833, 1249, 1265, 1323,
  1215, 1270, 1159, 1267, 1270, 590, 618, 1355, 1355, 1355, 1047, 1978, 1413, 1340, 1496, 1478, 1231, 1209, 1528, 1522,
  550, 1169, 1376, 1158, 1850, 1543, 1566, 1308, 1566, 1318, 1314, 1322, 1524, 1413, 2018, 1397, 1390, 1288, 747, 738,
  747, 965, 934, 661, 1150, 1254, 1170, 1254, 1194, 758, 1256, 1211, 496, 496, 1124, 496, 1794, 1210, 1228, 1254, 1254,
  771, 1081, 670, 1211, 1151, 1676, 1118, 1151, 1131, 873, 681, 873, 1355,
]
const BOLD = [
  485, 692, 1130, 1329, 1341, 2080, 1376, 694, 772, 772, 1145, 1390, 684, 958, 684, 795, 1381, 883, 1290, 1322, 1385,
  1274, 1330, 1191, 1333, 1330, 684, 702, 1390, 1390, 1390, 1146, 2081, 1529, 1355, 1515, 1479, 1244, 1202, 1537, 1530,
  575, 1197, 1473, 1158, 1908, 1561, 1578, 1327, 1591, 1345, 1341, 1367, 1499, 1529, 2125, 1512, 1497, 1360, 772, 795,
  772, 997, 975, 748, 1189, 1291, 1205, 1291, 1220, 815, 1294, 1275, 555, 555, 1188, 555, 1869, 1275, 1256, 1291, 1291,
  834, 1147, 750, 1275, 1228, 1741, 1188, 1233, 1173, 960, 761, 960, 1390,
]

/** What `drawable` lets through beside these and letters with an accent. */
const OTHERS: Readonly<Record<string, readonly [regular: number, bold: number]>> = {
  '\u2009': [372, 322],
  '\u2013': [1_024, 1_024],
  '\u2026': [1_770, 2_052],
  ß: [1_262, 1_346],
}

/** How wide a text of drawable characters is. Kerning, a few percent at most, is left out. */
export function textWidth(text: string, { size, bold }: Setting): number {
  const advances = Array.from(text, (character) => advanceOf(character, bold))
  return (advances.reduce((sum, advance) => sum + advance, 0) / EM) * size
}

function advanceOf(character: string, bold: boolean): number {
  const other = OTHERS[character]?.[bold ? 1 : 0]
  // An accent adds nothing to its letter.
  return other ?? (bold ? BOLD : REGULAR)[(character.normalize('NFD').codePointAt(0) ?? 0) - 0x20] ?? EM
}
