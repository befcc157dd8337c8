/** Adds an item to a list that keeps only its latest `most`. */
export function addLatest<Item>(list: Item[], item: Item, most: number): void {
  list.push(item)
  if (list.length > most) list.splice(0, list.length - most)
}
