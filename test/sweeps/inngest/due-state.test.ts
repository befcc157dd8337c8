import { expect, it } from 'vitest'
import { createDueState } from '../../../src/sweeps/inngest/due-state.ts'
import { createOrphanCounts } from '../../../src/sweeps/inngest/orphan-counts.ts'
import { ulidAt } from '../../support/inngest-ulid.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { NOW_MS, redisRig } from './redis-rig.ts'

describeWithRedis(
  'state that is due',
  () => {
    const rig = redisRig()
    const RUN = ulidAt(NOW_MS)
    const [one, another] = [`{estate:${RUN}}:metadata:${RUN}`, `{estate:${RUN}}:stack:${RUN}`]
    const create = (mostKeys = 2) => {
      const counts = createOrphanCounts()
      counts.runs.due = 1
      const options = { send: rig.transport.send, prefix: 'estate', isDryRun: false, checkpoint: async () => {} }
      const state = createDueState({ ...options, counts, mostKeys })
      state.expect([RUN])
      return { state, counts }
    }

    it('of a run that came to life stays, also the keys that come later', async () => {
      const { state, counts } = create()
      await rig.put(one, another, `{queue}:idx:run:${RUN}`)

      state.add(RUN, [one])
      await state.deleteAll()
      await rig.transport.send([['UNLINK', `{queue}:idx:run:${RUN}`]])
      state.add(RUN, [another])
      await state.deleteAll()

      expect((await rig.content()).keys).toEqual([one, another])
      expect(counts.runs).toMatchObject({ due: 0, kept: 1, deleted: 0 })
    })

    it('is one run, in however many steps it goes', async () => {
      const { state, counts } = create()
      await rig.put(one, another)

      state.add(RUN, [one])
      await state.deleteAll()
      state.add(RUN, [another])
      await state.deleteAll()

      expect((await rig.content()).keys).toEqual([])
      expect(counts.runs).toMatchObject({ due: 1, deleted: 1 })
      expect(counts.keys).toEqual({ due: 2, deleted: 2 })
    })

    it('waits until there is as much as may wait, a key that comes twice counted once', async () => {
      const { state } = create()

      state.add(RUN, [one])
      state.add(RUN, [one])
      expect(state.isFull()).toBe(false)
      state.add(RUN, [another])
      expect(state.isFull()).toBe(true)
      await state.deleteAll()
      expect(state.isFull()).toBe(false)
    })
  },
  { own: false },
)
