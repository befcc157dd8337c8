/** A text as a pattern of SCAN that only it matches. */
export const literally = (text: string): string => text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)
