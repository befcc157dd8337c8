import { afterEach, beforeEach, expect, it } from 'vitest'
import { ADMIN, startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { describeWithRedis } from '../support/redis-server.ts'

let rig: ServiceRig

beforeEach(async () => {
  rig = await startServiceRig()
})
afterEach(async () => {
  await rig.stop()
})

async function usage() {
  const fromBot = () => rig.telegram.chat(ADMIN).messages.filter(({ isFromBot }) => isFromBot)
  const count = fromBot().length
  rig.telegram.say(ADMIN, ADMIN, '/usage')
  return await rig.telegram.waitFor(() => fromBot()[count], 30_000)
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, one) => all + one, 0)

describeWithRedis('/usage of a whole service', () => {
  it('is a picture 1280 wide, and costs at most 1 command', async () => {
    const before = sum(await rig.billed())

    const { photo, text } = await usage()

    expect(photo).toMatchObject({ mimeType: 'image/png', width: 1_280 })
    expect(text).toMatch(/^\d+ of 500\u202F000 commands used \(under 1\u202F%\)\nDay 8 of 31\./)
    expect(sum(await rig.billed()) - before).toBeLessThanOrEqual(1)
  })

  it('shows what is known while Redis is away, and nothing of an order', async () => {
    await rig.receive({ customer: { name: 'Zaphod', phone: null, address: 'Geheimgasse 1' } })
    rig.clock.advance(11 * 60_000)
    await rig.redis.kill('SIGKILL')

    const { photo, text } = await usage()

    expect(photo).toBeDefined()
    expect(text).toContain('commands used')
    expect(text).not.toMatch(/Zaphod|Geheimgasse/)
    await rig.redis.restart()
  })
})
