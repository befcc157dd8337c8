import type { Dice } from './story-dice.ts'

/** What an order of the sandbox is about: everything of an intake but where it came from and when. */
export interface OrderContent {
  readonly customer: { readonly name: string; readonly phone: string; readonly address?: string; readonly zip?: string }
  readonly items: readonly OrderedItem[]
  readonly total: Money
  readonly tip?: Money
  readonly payment: string
  readonly note?: string
  readonly pickup?: boolean
}

interface OrderedItem {
  readonly vendor: string
  readonly quantity: number
  readonly name: string
  readonly note?: string
}

interface Money {
  readonly amount: string
  readonly currency: 'EUR'
}

interface Dish {
  readonly name: string
  readonly cents: number
  /** What guests ask for with it. */
  readonly wish?: string
}

interface Vendor {
  readonly name: string
  readonly dishes: readonly [Dish, ...Dish[]]
  readonly drinks: readonly [Dish, ...Dish[]]
}

const vendors: readonly [Vendor, ...Vendor[]] = [
  {
    name: 'Kofi Kitchen',
    dishes: [
      { name: 'Jollof rice with chicken', cents: 1290, wish: 'extra hot' },
      { name: 'Jollof rice with plantain', cents: 1090, wish: 'mild, for a child' },
      { name: 'Waakye', cents: 1150, wish: 'without egg' },
      { name: 'Red red', cents: 990 },
      { name: 'Beef suya', cents: 1350, wish: 'onions on the side' },
      { name: 'Groundnut soup', cents: 1190 },
      { name: 'Kelewele', cents: 590, wish: 'well done' },
    ],
    drinks: [
      { name: 'Zobo', cents: 350 },
      { name: 'Ginger juice', cents: 380 },
    ],
  },
  {
    name: 'Julis',
    dishes: [
      { name: 'Käsespätzle', cents: 1080, wish: 'no fried onions' },
      { name: 'Schnitzel with potato salad', cents: 1390, wish: 'fries instead of salad' },
      { name: 'Goulash with dumplings', cents: 1240 },
      { name: 'Mushroom ragout', cents: 1120, wish: 'gluten free, please' },
      { name: 'Lentil salad', cents: 890 },
      { name: 'Pumpkin soup', cents: 650, wish: 'without cream' },
      { name: 'Apple strudel', cents: 520, wish: 'vanilla sauce apart' },
    ],
    drinks: [
      { name: 'Apple spritzer 0.5', cents: 360 },
      { name: 'Elderflower soda', cents: 380 },
    ],
  },
]

const firstNames = [
  'Anna',
  'Ben',
  'Clara',
  'David',
  'Elif',
  'Felix',
  'Greta',
  'Hannes',
  'Ida',
  'Jonas',
  'Katharina',
  'Luis',
  'Mina',
  'Noah',
  'Olga',
  'Paul',
] as const
const lastNames = [
  'Aigner',
  'Brandl',
  'Demir',
  'Eder',
  'Fuchs',
  'Gruber',
  'Huber',
  'Kern',
  'Lindner',
  'Moser',
  'Nowak',
  'Ortner',
  'Pichler',
  'Reiter',
  'Schuster',
  'Wimmer',
] as const
const streets = [
  'Am Anger',
  'Bergstraße',
  'Brunngasse',
  'Donaulände',
  'Fischerpromenade',
  'Hafenstraße',
  'Ilzleite',
  'Innkai',
  'Kapuzinerweg',
  'Lindengasse',
  'Mühlsteig',
  'Rosenweg',
  'Schmiedgasse',
  'Spitalhof',
] as const
const notes = [
  'Please ring twice, third floor.',
  'The bell is broken, call when you are here.',
  'Back yard, blue door.',
  'Leave it with the neighbour on the ground floor.',
  'Cutlery for two, please.',
  'The dog barks but is friendly.',
  'We pay with a 50.',
] as const

/** What delivery costs, and what a tip is, in cents. */
const DELIVERY_CENTS = 250
const tips = [100, 200, 300] as const

/** Makes up an order: invented people, streets that could be in Passau, and phone numbers that are nobody's. */
export function makeUpOrder(dice: Dice, { isPickup = false } = {}): OrderContent {
  const { items, cents } = makeUpItems(dice)
  const tip = dice.roll(6) === 0 ? dice.pick(tips) : undefined
  const note = !isPickup && dice.roll(4) === 0 ? dice.pick(notes) : undefined
  const person = {
    name: `${dice.pick(firstNames)} ${dice.pick(lastNames)}`,
    // The numbers from 000 to 999 of this exchange are kept free for made-up stories.
    phone: `+49 89 99998 ${String(dice.roll(1_000)).padStart(3, '0')}`,
  }
  const place = { address: `${dice.pick(streets)} ${1 + dice.roll(48)}`, zip: dice.pick(['94032', '94034', '94036']) }
  return {
    customer: isPickup ? person : { ...person, ...place },
    items,
    total: euros(cents + (isPickup ? 0 : DELIVERY_CENTS)),
    ...(tip === undefined ? {} : { tip: euros(tip) }),
    payment: dice.pick(['paid online', 'paid online', 'cash', isPickup ? 'cash' : 'card at the door']),
    ...(note === undefined ? {} : { note }),
    ...(isPickup ? { pickup: true } : {}),
  }
}

function makeUpItems(dice: Dice): { readonly items: readonly OrderedItem[]; readonly cents: number } {
  const vendor = dice.pick(vendors)
  const first = dice.roll(vendor.dishes.length)
  const kinds = 1 + dice.roll(3)
  // Neighbours on the list, so that no dish comes twice.
  const dishes = Array.from({ length: kinds }, (_, at) => vendor.dishes[(first + at * 2) % vendor.dishes.length])
  const chosen = [...dishes, dice.roll(3) === 0 ? dice.pick(vendor.drinks) : undefined].filter(
    (one) => one !== undefined,
  )
  const ordered = chosen.map((dish) => ({ dish, quantity: dice.roll(4) === 0 ? 2 : 1, isSpecial: dice.roll(5) === 0 }))
  return {
    items: ordered.map(({ dish: { name, wish }, quantity, isSpecial }) => ({
      vendor: vendor.name,
      quantity,
      name,
      ...(isSpecial && wish !== undefined ? { note: wish } : {}),
    })),
    cents: ordered.reduce((sum, { dish, quantity }) => sum + dish.cents * quantity, 0),
  }
}

const euros = (cents: number): Money => ({ amount: (cents / 100).toFixed(2), currency: 'EUR' })
