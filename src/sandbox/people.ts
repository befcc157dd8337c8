import type { Group, Person } from './bot-api/world.ts'
import type { PersonView } from './page-view.ts'

/** Somebody whom the person at the chat page can act as. */
export interface CastMember extends Person {
  readonly role: PersonView['role']
}

export const asha: CastMember = { id: 5_100_000_001, firstName: 'Asha', username: 'asha_desk', role: 'admin' }
export const ravi: CastMember = { id: 5_100_000_002, firstName: 'Ravi', username: 'ravi_rides', role: 'courier' }

/** Never pressed Start, so the bot cannot write to her. */
export const lena: CastMember = { id: 5_100_000_003, firstName: 'Lena', hasStarted: false, role: 'courier' }
export const kofi: CastMember = { id: 5_100_000_004, firstName: 'Kofi', username: 'kofi_kitchen', role: 'vendor' }

/** In no group: whom the bot must refuse. */
export const sam: CastMember = { id: 5_100_000_005, firstName: 'Sam', role: 'stranger' }

/** Everybody, in the order in which the page offers them. */
export const cast: readonly CastMember[] = [asha, ravi, lena, kofi, sam]

/** Everybody as the page is told of them. */
export const personViews: readonly PersonView[] = cast.map(({ id, firstName, role }) => ({ id, name: firstName, role }))

/** The groups that the bot is in. */
export interface CastGroups {
  readonly dispatch: Group
  readonly vendor: Group
}

/** Where the ids of groups begin, and how many seeds give ids of their own without reaching those of supergroups. */
const FIRST_GROUP = 1_000_000_000
const SEEDS = 400_000_000_000

/**
 * The groups of one run. Each seed gives ids of its own, for cards are noted on orders by chat id and a store may outlive
 * the chats: a card of another run must not pass for one of this run's messages.
 *
 * @param groupSeed a whole number from 0 on; it counts modulo 4 x 10^11.
 */
export function groupsOf(groupSeed: number): CastGroups {
  const first = -(FIRST_GROUP + 2 * (groupSeed % SEEDS))
  const owner = asha.id
  return {
    dispatch: { id: first, title: 'Dispatch group', owner, members: [ravi.id, lena.id] },
    vendor: { id: first - 1, title: 'Vendor: Kofi Kitchen', owner, members: [kofi.id] },
  }
}
