/** A name as SQL takes it literally, whatever it holds. */
export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`
