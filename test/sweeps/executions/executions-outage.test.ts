import { expect, it } from 'vitest'
import { lostReply, spoil } from '../../support/transport.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { DAY_MS, executionsRig, HOUR_MS, leftBy, PREFIX, SEEN } from './executions-rig.ts'

const ONE = `${PREFIX}one`
const kept = { outcome: 'done', deleted: 0, kept: 1 }

describeWithRedis(
  'executions in a time in which nobody looked',
  () => {
    const rig = executionsRig()
    /** A run that deletes, so long after the latest with nobody in between. */
    const sweepAt = async (ms: number) => {
      rig.clock.advance(ms)
      return (await rig.sweep()).report
    }

    it.each([1, 3, 300])('are kept after an outage of %d days, of which half a day counts', async (days) => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()

      expect(await sweepAt(days * DAY_MS)).toMatchObject(kept)
      expect(await sweepAt(HOUR_MS)).toMatchObject(kept)
      expect(await sweepAt(11 * HOUR_MS)).toMatchObject(kept)
      expect(await sweepAt(1)).toMatchObject({ deleted: 1, kept: 0 })
    })

    it('are kept by the first run after an outage even when they were nearly old enough before it', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      await sweepAt(7 * HOUR_MS)
      await sweepAt(7 * HOUR_MS)

      expect(await sweepAt(3 * DAY_MS)).toMatchObject(kept)
      expect((await rig.preview()).report).toMatchObject({ due: 1 })
      expect(await sweepAt(HOUR_MS)).toMatchObject({ deleted: 1 })
    })

    it('are kept by the run that catches up the slot that was missed', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      rig.clock.advance(2.6 * DAY_MS)

      const { report } = await rig.sweep({ trigger: 'catch-up', asOfMs: rig.clock() - HOUR_MS })

      expect(report).toMatchObject(kept)
    })

    it.each([-3 * DAY_MS, 3 * DAY_MS])('are kept when the clock goes wrong by %d ms and is right again', async (ms) => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()

      expect(await sweepAt(ms)).toMatchObject(kept)
      expect(await sweepAt(-ms)).toMatchObject(kept)
      expect(await sweepAt(HOUR_MS)).toMatchObject(kept)
      await rig.timePasses(DAY_MS)
      expect((await rig.sweep()).report).toMatchObject({ deleted: 1 })
    })

    it('are kept when the slot of a run lies ahead, for the clock was set back', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      rig.clock.advance(HOUR_MS)

      expect((await rig.sweep({ asOfMs: rig.clock() + 3 * DAY_MS })).report).toMatchObject(kept)
    })

    it('are kept when the clock is set back while a run looks', async () => {
      await rig.ask(...leftBy('one'))
      rig.transport.onRequest = spoil('HMGET', async (_, carryOut) => {
        rig.clock.advance(-3 * DAY_MS)
        return await carryOut()
      })
      await rig.sweep()
      rig.transport.onRequest = undefined
      rig.clock.advance(3 * DAY_MS)

      expect(await sweepAt(HOUR_MS)).toMatchObject(kept)
      expect(await sweepAt(12 * HOUR_MS)).toMatchObject(kept)
    })

    it('go at the fourth look of a schedule that is rarer than half the greatest age', async () => {
      await rig.ask(...leftBy('one'))
      const deleted: number[] = []
      for (let day = 0; day < 4; day += 1) deleted.push((await sweepAt(DAY_MS)).deleted)

      expect(deleted).toEqual([0, 0, 0, 1])
    })

    it('count by the smaller age where a run asks for other days', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      rig.clock.advance(9 * DAY_MS)
      await rig.sweep({ days: 20 })

      expect(await rig.passClock()).toBe(`${rig.clock()} ${8.5 * DAY_MS} after a gap`)
    })

    it('are the same to a dry run, which remembers no time', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      const before = await rig.passClock()
      rig.clock.advance(3 * DAY_MS)

      expect((await rig.preview()).report).toMatchObject({ due: 0, kept: 1 })
      expect((await rig.preview()).report).toMatchObject({ due: 0, kept: 1 })
      expect(await rig.passClock()).toBe(before)
      // As of a time ahead: provided that runs look often enough until then.
      expect((await rig.preview({ asOfMs: rig.clock() + 12 * HOUR_MS })).report).toMatchObject({ due: 0 })
      expect((await rig.preview({ asOfMs: rig.clock() + 12 * HOUR_MS + 1 })).report).toMatchObject({ due: 1 })
    })

    it('are looked at also by a run that was cut off, from its beginning on', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      rig.clock.advance(12 * HOUR_MS)
      rig.transport.onRequest = spoil('SCAN', lostReply)
      expect((await rig.sweep()).report).toMatchObject({ outcome: 'failed' })
      rig.transport.onRequest = undefined
      await rig.ask(['DEL', 'orderly:lock:executions'])

      expect(await sweepAt(12 * HOUR_MS + 1)).toMatchObject(kept)
      expect(await sweepAt(1)).toMatchObject({ deleted: 1 })
    })

    it.each(['gone', 'x', '', '1', `-1 0`, '1 1.5', '1 0 0'])(
      'are seen for the first time where the time of the latest run is %j, for nobody knows how old a sighting is',
      async (text) => {
        await rig.ask(...leftBy('one'), ...leftBy('two'))
        await rig.sweep()
        await rig.ask(['DEL', `${PREFIX}two`], ['HSET', SEEN, ONE, (await rig.seen())[ONE]?.replace(/^\d+/, '5') ?? ''])
        await rig.ask(text === 'gone' ? ['HDEL', SEEN, ''] : ['HSET', SEEN, '', text])

        expect((await rig.preview()).report).toMatchObject({ due: 0 })
        expect((await rig.sweep()).report).toMatchObject({ deleted: 0, keptOpen: 0, kept: 2 })
        expect((await rig.sweepAfter(DAY_MS)).report).toMatchObject({ deleted: 0 })
        expect((await rig.sweepAfter(1)).report).toMatchObject({ deleted: 2 })
      },
    )

    it('are not judged by sightings without a time, also after a run that was cut off', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      await rig.ask(['HDEL', SEEN, ''], ['HSET', SEEN, ONE, (await rig.seen())[ONE]?.replace(/^\d+/, '5') ?? ''])
      rig.transport.onRequest = spoil('SCAN', lostReply)
      expect((await rig.sweep()).report).toMatchObject({ outcome: 'failed' })
      rig.transport.onRequest = undefined
      await rig.ask(['DEL', 'orderly:lock:executions'])

      expect((await rig.sweep()).report).toMatchObject(kept)
    })

    it('are kept when a run cannot remember that it looked, and somebody hears of it', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      const before = await rig.passClock()
      await rig.ask(['CONFIG', 'SET', 'maxmemory', 1])
      try {
        rig.clock.advance(HOUR_MS)
        const { report } = await rig.sweep()

        expect(report).toMatchObject({ ...kept, because: expect.stringContaining('no room to remember') })
      } finally {
        await rig.ask(['CONFIG', 'SET', 'maxmemory', 0])
      }
      expect(await rig.passClock()).toBe(before)
      // Half a day from the latest run that is remembered.
      expect(await sweepAt(DAY_MS)).toMatchObject(kept)
      expect(await sweepAt(12 * HOUR_MS)).toMatchObject(kept)
      expect(await sweepAt(1)).toMatchObject({ deleted: 1 })
    })

    it('keep their memory alive for longer than the greatest age, also while nothing changes', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      await rig.ask(['EXPIRE', SEEN, 100])

      await rig.sweepAfter(HOUR_MS)

      expect(Number((await rig.ask(['TTL', SEEN]))[0])).toBeGreaterThan(35 * 86_400)
    })

    it('name the key of the memory where it is something else', async () => {
      await rig.ask(['SET', SEEN, 'x'])

      for (const { report } of [await rig.sweep(), await rig.preview()]) expect(report.because).toContain(SEEN)
    })
  },
  { own: true },
)
